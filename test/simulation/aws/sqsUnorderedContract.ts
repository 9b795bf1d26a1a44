import { SendMessageBatchCommand } from '@aws-sdk/client-sqs';
import { expect } from 'vitest';
import { outcomeOf } from './contract.ts';
import { aQueue, OVER_A_SECOND_MS, type SqsCase } from './sqsUnderTest.ts';

/** Queues without order, of which the product has one. */
export const unorderedContract: readonly SqsCase[] = [
  {
    sentence: 'a queue without order gives every message that is visible, and none has a group or a sequence',
    show: async (service) => {
      const queue = await aQueue(service, { fifo: false });
      const Entries = ['1', '2', '3'].map((Id) => ({ Id, MessageBody: `m${Id}` }));

      const sent = await service.send(new SendMessageBatchCommand({ QueueUrl: queue.url, Entries }));
      const first = await queue.receiveOne();
      const rest = await queue.receive();

      expect(sent.Successful?.map(({ SequenceNumber }) => SequenceNumber)).toEqual([undefined, undefined, undefined]);
      expect(new Set([first, ...rest].map(({ Body }) => Body))).toEqual(new Set(['m1', 'm2', 'm3']));
      expect(rest).toHaveLength(2);
      expect(first.Attributes?.MessageGroupId).toBeUndefined();
      expect(first.Attributes?.SequenceNumber).toBeUndefined();
    },
  },
  {
    sentence: 'in a queue without order a superseded handle is taken, and deletes nothing',
    show: async (service) => {
      const queue = await aQueue(service, { fifo: false });
      const Entries = [{ Id: '1', MessageBody: 'm1' }];
      await service.send(new SendMessageBatchCommand({ QueueUrl: queue.url, Entries }));
      const first = await queue.receiveOne();
      await queue.hide(first.handle, 0);
      const second = await queue.receiveOne();

      expect(await outcomeOf(queue.delete(first.handle))).toBe('taken');

      await queue.hide(second.handle, 0);
      expect(await queue.receiveBodies()).toBe('m1');
    },
  },
  {
    sentence: 'in a queue without order the newest handle deletes, also when its time is over',
    show: async (service) => {
      const queue = await aQueue(service, { fifo: false });
      const Entries = [{ Id: '1', MessageBody: 'm1' }];
      await service.send(new SendMessageBatchCommand({ QueueUrl: queue.url, Entries }));
      const { handle } = await queue.receiveOne({ VisibilityTimeout: 1 });
      await service.elapse(OVER_A_SECOND_MS);

      expect(await outcomeOf(queue.delete(handle))).toBe('taken');

      expect(await queue.receiveBodies()).toBe('');
    },
  },
];
