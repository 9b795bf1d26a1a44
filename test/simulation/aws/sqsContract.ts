import { SendMessageBatchCommand, SendMessageCommand, SQSServiceException } from '@aws-sdk/client-sqs';
import { expect } from 'vitest';
import { outcomeOf, type ContractCase, type KnownDifference } from './contract.ts';
import { aQueue, type QueueUnderTest, type SqsUnderTest } from './sqsUnderTest.ts';

export type SqsCase = ContractCase<SqsUnderTest>;

/** Where the emulator (fauxqs 2.4.1) does not do what AWS does. */
export const sqsDifferences: readonly KnownDifference[] = [
  {
    case: 'a refusal has the name that AWS documents, with nothing before it',
    reason: 'It sets AWS.SimpleQueueService. before the names of errors that the SDK has no class for.',
  },
  {
    case: 'a receive answers as many of one group as there are, in order, and then of the next',
    reason: 'It gives one message of each group in a receive.',
  },
  {
    case: 'a group comes back when the last of its messages is shown again, and in order',
    reason: 'It gives one message of each group in a receive, so there are never several in flight.',
  },
  {
    case: 'a delete with a handle that was superseded is refused as expired',
    reason: 'It takes every handle for a delete, and deletes nothing if it does not know it.',
  },
  {
    case: 'a delete with the handle of a message that is visible again is refused as expired',
    reason: 'It takes every handle for a delete, and deletes nothing if it does not know it.',
  },
  {
    case: 'to hide with a handle that was superseded is refused as expired',
    reason: 'It remembers handles of messages in flight only, and says MessageNotInflight of all others.',
  },
  {
    case: 'a delete with a handle that is none is refused',
    reason: 'It takes every handle for a delete, and deletes nothing if it does not know it.',
  },
];

/** More than the shortest visibility. */
const OVER_A_SECOND_MS = 1_050;

const sendCases: readonly SqsCase[] = [
  {
    sentence: 'a message comes with what was asked of it',
    show: async (service) => {
      const queue = await aQueue(service);
      const sent = await queue.send('group', 'body');

      const [message] = await queue.receive();

      expect(message).toMatchObject({
        MessageId: sent.MessageId,
        Body: 'body',
        Attributes: { MessageGroupId: 'group', SequenceNumber: sent.SequenceNumber, ApproximateReceiveCount: '1' },
      });
      expect(message?.Attributes?.SentTimestamp).toMatch(/^\d+$/);
      expect(sent.SequenceNumber).toMatch(/^\d{20}$/);
    },
  },
  {
    sentence: 'a message comes without attributes if none is asked for',
    show: async (service) => {
      const queue = await aQueue(service);
      await queue.send('group', 'a');
      await queue.send('other', 'b');

      const bare = await queue.receiveOne({ MessageSystemAttributeNames: [] });
      const counted = await queue.receiveOne({ MessageSystemAttributeNames: ['ApproximateReceiveCount'] });

      expect(bare.Attributes).toBeUndefined();
      expect(counted.Attributes).toEqual({ ApproximateReceiveCount: '1' });
    },
  },
  {
    sentence: 'sequence numbers grow',
    show: async (service) => {
      const queue = await aQueue(service);

      const sent = [await queue.send('a', '1'), await queue.send('b', '2'), await queue.send('a', '3')];

      const numbers = sent.map(({ SequenceNumber }) => SequenceNumber ?? '');
      expect(numbers).toEqual([...new Set(numbers)].sort());
    },
  },
  {
    sentence: 'a second message with an id is answered like the first and not added, whatever its body and group',
    show: async (service) => {
      const queue = await aQueue(service);

      const first = await queue.send('group', 'a', 'id');
      const second = await queue.send('other', 'b', 'id');

      expect([second.MessageId, second.SequenceNumber]).toEqual([first.MessageId, first.SequenceNumber]);
      expect(await queue.receiveBodies()).toBe('a');
    },
  },
  {
    sentence: 'an id is remembered although its message is done',
    show: async (service) => {
      const queue = await aQueue(service);
      await queue.send('group', 'a', 'id');
      await queue.delete((await queue.receiveOne()).handle);

      await queue.send('group', 'b', 'id');

      expect(await queue.receiveBodies()).toBe('');
    },
  },
  {
    sentence: 'a FIFO queue wants a group and an id, and a message has a body',
    show: async (service) => {
      const { url: QueueUrl } = await aQueue(service);
      const send = (input: Partial<ConstructorParameters<typeof SendMessageCommand>[0]>) =>
        outcomeOf(service.send(new SendMessageCommand({ QueueUrl, MessageBody: 'body', ...input })));

      expect(await send({ MessageDeduplicationId: 'a' })).toMatch(/MissingParameter$/);
      expect(await send({ MessageGroupId: 'a' })).toMatch(/InvalidParameterValue$/);
      expect(await send({ MessageGroupId: 'a', MessageDeduplicationId: 'a', MessageBody: '' })).toMatch(
        /MissingParameter$/,
      );
      expect(await send({ QueueUrl: `${QueueUrl}x` })).toBe('QueueDoesNotExist');
    },
  },
  {
    sentence: 'a refusal has the name that AWS documents, with nothing before it',
    show: async (service) => {
      const queue = await aQueue(service);

      expect(await outcomeOf(queue.receive({ MaxNumberOfMessages: 11 }))).toBe('InvalidParameterValue');
    },
  },
  {
    sentence: 'a batch is taken entry by entry, and has one to ten of them with ids of their own',
    show: async (service) => {
      const queue = await aQueue(service);
      const sendAll = (Entries: ConstructorParameters<typeof SendMessageBatchCommand>[0]['Entries']) =>
        service.send(new SendMessageBatchCommand({ QueueUrl: queue.url, Entries }));
      const entry = (Id: string) => ({ Id, MessageBody: Id, MessageGroupId: 'g', MessageDeduplicationId: Id });

      const answer = await sendAll([entry('1'), { ...entry('2'), MessageGroupId: undefined }, entry('3')]);

      expect(answer.Successful?.map(({ Id }) => Id)).toEqual(['1', '3']);
      expect(answer.Failed?.map(({ Id, Code, SenderFault }) => [Id, Code, SenderFault])).toEqual([
        ['2', 'MissingParameter', true],
      ]);
      expect(await outcomeOf(sendAll([]))).toBe('EmptyBatchRequest');
      expect(await outcomeOf(sendAll(Array.from({ length: 11 }, (_, id) => entry(String(id)))))).toBe(
        'TooManyEntriesInBatchRequest',
      );
      expect(await outcomeOf(sendAll([entry('1'), entry('1')]))).toBe('BatchEntryIdsNotDistinct');
    },
  },
];

const receiveCases: readonly SqsCase[] = [
  {
    sentence: 'a group with a message in flight gives none, and another group does',
    show: async (service) => {
      const queue = await aQueue(service);
      for (const body of ['a1', 'a2']) await queue.send('a', body);
      const first = await queue.receiveOne();
      await queue.send('b', 'b1');

      expect(first.Body).toBe('a1');
      expect(await queue.receiveBodies()).toBe('b1');
      expect(await queue.receiveBodies()).toBe('');
      await queue.delete(first.handle);
      expect(await queue.receiveBodies()).toBe('a2');
    },
  },
  {
    sentence: 'a receive answers one message unless more are asked for, and ten at most',
    show: async (service) => {
      const queue = await aQueue(service);
      for (let group = 0; group < 12; group += 1) await queue.send(`g${group}`, `m${group}`);

      expect(await queue.receive({ MaxNumberOfMessages: undefined })).toHaveLength(1);
      expect(await queue.receive()).toHaveLength(10);
      expect(await outcomeOf(queue.receive({ MaxNumberOfMessages: 11 }))).toMatch(/InvalidParameterValue$/);
      expect(await outcomeOf(queue.receive({ VisibilityTimeout: 43_201 }))).toMatch(/InvalidParameterValue$/);
    },
  },
  {
    sentence: 'a receive answers as many of one group as there are, in order, and then of the next',
    show: async (service) => {
      const queue = await aQueue(service);
      for (const body of ['a1', 'a2', 'a3']) await queue.send('a', body);
      for (const body of ['b1', 'b2']) await queue.send('b', body);

      expect(await queue.receiveBodies({ MaxNumberOfMessages: 4 })).toBe('a1 a2 a3 b1');
      expect(await queue.receiveBodies()).toBe('');
    },
  },
  {
    sentence: 'a message that was not deleted in time comes again, before the rest of its group',
    show: async (service) => {
      const queue = await aQueue(service);
      for (const body of ['a1', 'a2']) await queue.send('a', body);
      const first = await queue.receiveOne({ VisibilityTimeout: 1 });
      expect(await queue.receiveBodies()).toBe('');

      await service.elapse(OVER_A_SECOND_MS);

      const second = await queue.receiveOne();
      expect([second.Body, second.Attributes?.ApproximateReceiveCount]).toEqual(['a1', '2']);
      expect(second.handle).not.toBe(first.handle);
    },
  },
  {
    sentence: 'a queue hides a message for its own time if a receive names none',
    show: async (service) => {
      const queue = await aQueue(service, { visibilitySeconds: 1 });
      await queue.send('a', 'a1');
      await queue.receiveOne();
      expect(await queue.receiveBodies()).toBe('');

      await service.elapse(OVER_A_SECOND_MS);

      expect(await queue.receiveBodies()).toBe('a1');
    },
  },
  {
    sentence: 'a message that is shown again comes at once, before the rest of its group',
    show: async (service) => {
      const queue = await aQueue(service);
      for (const body of ['a1', 'a2']) await queue.send('a', body);
      const { handle } = await queue.receiveOne();

      await queue.hide(handle, 0);

      const again = await queue.receiveOne();
      expect([again.Body, again.Attributes?.ApproximateReceiveCount]).toEqual(['a1', '2']);
    },
  },
  {
    sentence: 'what is hidden for longer stays hidden, and its handle good',
    show: async (service) => {
      const queue = await aQueue(service);
      for (const body of ['a1', 'a2']) await queue.send('a', body);
      const { handle } = await queue.receiveOne({ VisibilityTimeout: 1 });

      await queue.hide(handle, 30);
      await service.elapse(OVER_A_SECOND_MS);

      expect(await queue.receiveBodies()).toBe('');
      await queue.delete(handle);
      expect(await queue.receiveBodies()).toBe('a2');
    },
  },
  {
    sentence: 'a group comes back when the last of its messages is shown again, and in order',
    show: async (service) => {
      const queue = await aQueue(service);
      for (const body of ['a1', 'a2', 'a3']) await queue.send('a', body);
      const [first, second, third] = (await queue.receive()).map(({ handle }) => handle);

      await queue.hide(second ?? '', 0);
      expect(await queue.receiveBodies()).toBe('');
      await queue.hide(third ?? '', 0);
      expect(await queue.receiveBodies()).toBe('');
      await queue.hide(first ?? '', 0);

      expect(await queue.receiveBodies()).toBe('a1 a2 a3');
    },
  },
  {
    sentence:
      'a message that was received too often goes to the dead letters with its group, and lets the next one pass',
    show: async (service) => {
      const queue = await aQueue(service, { maxReceiveCount: 2 });
      for (const body of ['a1', 'a2']) await queue.send('a', body);
      for (let time = 0; time < 2; time += 1) {
        const { Body, handle } = await queue.receiveOne();
        expect(Body).toBe('a1');
        await queue.hide(handle, 0);
      }

      expect(await queue.receiveBodies()).toBe('a2');

      const dead = await queue.receive({}, queue.deadUrl);
      expect(dead.map(({ Body, Attributes }) => [Body, Attributes?.MessageGroupId])).toEqual([['a1', 'a']]);
    },
  },
  {
    sentence: 'a message is not dead while it can still be done in its last receive',
    show: async (service) => {
      const queue = await aQueue(service, { maxReceiveCount: 1 });
      await queue.send('a', 'a1');
      const { handle } = await queue.receiveOne();

      expect(await queue.receiveBodies()).toBe('');
      await queue.delete(handle);

      expect(await queue.receive({}, queue.deadUrl)).toEqual([]);
    },
  },
];

const expired = { name: 'InvalidParameterValue', message: expect.stringContaining('receipt handle has expired') };

/** The first handle of a message that is in flight under its second one. */
async function aSupersededHandle(queue: QueueUnderTest): Promise<string> {
  await queue.send('a', 'a1');
  const { handle } = await queue.receiveOne();
  await queue.hide(handle, 0);
  await queue.receiveOne();
  return handle;
}

const handleCases: readonly SqsCase[] = [
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
];

export const sqsContract: readonly SqsCase[] = [...sendCases, ...receiveCases, ...handleCases];
