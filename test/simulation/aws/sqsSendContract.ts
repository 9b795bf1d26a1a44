import { SendMessageBatchCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { expect } from 'vitest';
import { outcomeOf } from './contract.ts';
import { aQueue, type SqsCase } from './sqsUnderTest.ts';

export const sendContract: readonly SqsCase[] = [
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
    sentence: 'a body may hold every character of the Basic Multilingual Plane that is one, and every one beyond it',
    show: async (service) => {
      const queue = await aQueue(service);
      const body = '\t\n\r ~\ud7ff\ue000\ufffd\u{10000}😀\u{10ffff}';
      await queue.send('group', body);

      const [message] = await queue.receive();

      expect(message?.Body).toBe(body);
    },
  },
  {
    sentence: 'a body with a control character or U+FFFE or U+FFFF in it is refused for its content',
    show: async (service) => {
      const queue = await aQueue(service);

      const outcomes = await Promise.all(
        ['\0', '\u0008', '\ufffe', '\uffff'].map((character) => outcomeOf(queue.send('group', `a${character}`))),
      );

      expect(outcomes.map((outcome) => outcome.split('.').at(-1))).toEqual(Array(4).fill('InvalidMessageContents'));
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
