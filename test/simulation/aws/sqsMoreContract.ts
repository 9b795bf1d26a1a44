import { SendMessageBatchCommand } from '@aws-sdk/client-sqs';
import { expect } from 'vitest';
import { outcomeOf } from './contract.ts';
import type { SqsCase } from './sqsContract.ts';
import { aQueue } from './sqsUnderTest.ts';

const OVER_A_SECOND_MS = 1_050;

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

/** Cases that take longer than a test may wait: of the fake, with its own time, alone. */
export const longContract: readonly SqsCase[] = [
  {
    sentence: 'an id is forgotten after five minutes, counted from the message that was added',
    show: async (service) => {
      const queue = await aQueue(service);
      const first = await queue.send('group', 'a', 'id');
      await service.elapse(299_999);
      const second = await queue.send('group', 'b', 'id');

      await service.elapse(1);
      const third = await queue.send('group', 'c', 'id');

      expect(second.MessageId).toBe(first.MessageId);
      expect(third.MessageId).not.toBe(first.MessageId);
      expect(await queue.receiveBodies()).toBe('a c');
    },
  },
  {
    sentence: 'a message is hidden to the millisecond, and its handle good as long',
    show: async (service) => {
      const queue = await aQueue(service);
      await queue.send('a', 'a1');
      const { handle } = await queue.receiveOne({ VisibilityTimeout: 5 });

      await service.elapse(4_999);
      expect(await queue.receiveBodies()).toBe('');
      await queue.hide(handle, 5);
      await service.elapse(5_000);

      expect(await outcomeOf(queue.delete(handle))).toBe('InvalidParameterValue');
      expect(await outcomeOf(queue.hide(handle, 5))).toBe('MessageNotInflight');
      expect(await queue.receiveBodies()).toBe('a1');
    },
  },
  {
    sentence: 'messages of a group that are hidden until different times come back together',
    show: async (service) => {
      const queue = await aQueue(service);
      for (const body of ['a1', 'a2']) await queue.send('a', body);
      const [, second] = await queue.receive({ VisibilityTimeout: 5 });
      await queue.hide(second?.handle ?? '', 10);

      await service.elapse(5_000);
      expect(await queue.receiveBodies()).toBe('');
      await service.elapse(5_000);

      expect(await queue.receiveBodies()).toBe('a1 a2');
    },
  },
  {
    sentence: 'a message is hidden for twelve hours at most, counted from its receive',
    show: async (service) => {
      const queue = await aQueue(service);
      await queue.send('a', 'a1');
      const { handle } = await queue.receiveOne({ VisibilityTimeout: 43_200 });
      await service.elapse(1_000);

      expect(await outcomeOf(queue.hide(handle, 43_200))).toBe('InvalidParameterValue');
      expect(await outcomeOf(queue.hide(handle, 43_199))).toBe('taken');
    },
  },
];
