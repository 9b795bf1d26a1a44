import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  SQSServiceException,
} from '@aws-sdk/client-sqs';
import { expect } from 'vitest';
import { outcomeOf } from './contract.ts';
import { aQueue, type QueueUnderTest, type SqsCase } from './sqsUnderTest.ts';

const expired = { name: 'InvalidParameterValue', message: expect.stringContaining('receipt handle has expired') };

/** The first handle of a message that is in flight under its second one. */
async function aSupersededHandle(queue: QueueUnderTest): Promise<string> {
  await queue.send('a', 'a1');
  const { handle } = await queue.receiveOne();
  await queue.hide(handle, 0);
  await queue.receiveOne();
  return handle;
}

export const handleContract: readonly SqsCase[] = [
  {
    sentence: 'to delete what is gone succeeds',
    show: async (service) => {
      const queue = await aQueue(service);
      await queue.send('a', 'a1');
      const { handle } = await queue.receiveOne();

      await queue.delete(handle);

      expect(await outcomeOf(queue.delete(handle))).toBe('taken');
    },
  },
  {
    sentence: 'what is not in flight is not hidden',
    show: async (service) => {
      const queue = await aQueue(service);
      for (const body of ['a1', 'a2']) await queue.send('a', body);
      const first = await queue.receiveOne();
      await queue.hide(first.handle, 0);

      const shown = await queue.hide(first.handle, 30).catch((error: unknown) => error);
      expect(shown).toBeInstanceOf(SQSServiceException);
      expect((shown as SQSServiceException).name).toBe('MessageNotInflight');
      const again = await queue.receiveOne();
      await queue.delete(again.handle);
      expect(await outcomeOf(queue.hide(again.handle, 30))).toBe('MessageNotInflight');
    },
  },
  {
    sentence: 'a superseded handle hides nothing',
    show: async (service) => {
      const queue = await aQueue(service);
      await queue.send('a', 'a1');
      const first = await queue.receiveOne();
      await queue.hide(first.handle, 0);
      const second = await queue.receiveOne();

      expect(await outcomeOf(queue.hide(first.handle, 0))).not.toBe('taken');

      expect(await queue.receiveBodies()).toBe('');
      expect(await outcomeOf(queue.delete(second.handle))).toBe('taken');
    },
  },
  {
    sentence: 'a superseded handle deletes nothing',
    show: async (service) => {
      const queue = await aQueue(service);
      await queue.send('a', 'a1');
      const first = await queue.receiveOne();
      await queue.hide(first.handle, 0);
      const second = await queue.receiveOne();

      await outcomeOf(queue.delete(first.handle));

      await queue.hide(second.handle, 0);
      expect(await queue.receiveBodies()).toBe('a1');
    },
  },
  {
    sentence: 'a delete with a handle that was superseded is refused as expired',
    show: async (service) => {
      const queue = await aQueue(service);
      const handle = await aSupersededHandle(queue);

      await expect(queue.delete(handle)).rejects.toMatchObject(expired);
    },
  },
  {
    sentence: 'to hide with a handle that was superseded is refused as expired',
    show: async (service) => {
      const queue = await aQueue(service);
      const handle = await aSupersededHandle(queue);

      await expect(queue.hide(handle, 30)).rejects.toMatchObject(expired);
    },
  },
  {
    sentence: 'a delete with the handle of a message that is visible again is refused as expired',
    show: async (service) => {
      const queue = await aQueue(service);
      await queue.send('a', 'a1');
      const { handle } = await queue.receiveOne();
      await queue.hide(handle, 0);

      await expect(queue.delete(handle)).rejects.toMatchObject(expired);

      expect(await queue.receiveBodies()).toBe('a1');
    },
  },
  {
    sentence: 'a delete with a handle that is none is refused',
    show: async (service) => {
      const queue = await aQueue(service);

      expect(await outcomeOf(queue.delete('nonsense'))).toBe('ReceiptHandleIsInvalid');
    },
  },
  {
    sentence: 'a batch of deletes, and one of changes of visibility, are taken entry by entry',
    show: async (service) => {
      const queue = await aQueue(service);
      for (const group of ['a', 'b', 'c']) await queue.send(group, group);
      const received = await queue.receive();
      const handles = new Map(received.map(({ Body = '', handle }) => [Body, handle]));
      const of = (body: string) => ({ Id: body, ReceiptHandle: handles.get(body) });
      await queue.delete(handles.get('c') ?? '');

      const hidden = await service.send(
        new ChangeMessageVisibilityBatchCommand({
          QueueUrl: queue.url,
          Entries: [
            { ...of('c'), VisibilityTimeout: 0 },
            { ...of('b'), VisibilityTimeout: 0 },
          ],
        }),
      );
      const deleted = await service.send(
        new DeleteMessageBatchCommand({ QueueUrl: queue.url, Entries: [of('a'), of('c')] }),
      );

      expect(hidden.Successful?.map(({ Id }) => Id)).toEqual(['b']);
      expect(hidden.Failed?.map(({ Id, SenderFault }) => [Id, SenderFault])).toEqual([['c', true]]);
      expect(deleted.Successful?.map(({ Id }) => Id)).toEqual(['a', 'c']);
      expect(await queue.receiveBodies()).toBe('b');
    },
  },
];
