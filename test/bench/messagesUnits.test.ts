import { describe, expect, it } from 'vitest';
import { toPerMessage } from './messagesCalls.ts';
import { operationOf } from './messagesProxy.ts';
import { unitsOf } from './messagesUnits.ts';

const PUT = 'DynamoDB_20120810.PutItem';
const TRANSACT = 'DynamoDB_20120810.TransactWriteItems';
const tally = (caller: string, operation: string, calls: number) => ({
  caller,
  operation,
  calls,
  writeUnits: calls,
  readUnits: 0,
  queueRequests: 0,
  requestBytes: 100 * calls,
  answerBytes: 0,
  empty: 0,
  refused: 0,
});

describe('units of a call', () => {
  it('are what DynamoDB says, of all tables of a transaction', () => {
    const single = unitsOf(PUT, {}, { ConsumedCapacity: { CapacityUnits: 2 } }, 200);
    const both = unitsOf(TRANSACT, {}, { ConsumedCapacity: [{ CapacityUnits: 12 }, { CapacityUnits: 2 }] }, 200);

    expect([single.writeUnits, both.writeUnits]).toEqual([2, 14]);
  });

  it('are at least one for a write whose condition failed, and twice that for each of a transaction', () => {
    const single = unitsOf(PUT, {}, { __type: 'ConditionalCheckFailedException' }, 400);
    const both = unitsOf(TRANSACT, { TransactItems: [{}, {}, {}] }, {}, 400);

    expect([single.writeUnits, both.writeUnits]).toEqual([1, 6]);
  });

  it.each<readonly [kilobytes: number, requests: number]>([
    [1, 1],
    [64, 1],
    [65, 2],
    [200, 4],
  ])('are one request to a queue for each 64 KB of what is sent or received: %d KB', (kilobytes, requests) => {
    const body = 'x'.repeat(kilobytes * 1_024);

    const sent = unitsOf('AmazonSQS.SendMessageBatch', { Entries: [{ MessageBody: body }] }, {}, 200);
    const received = unitsOf('AmazonSQS.ReceiveMessage', {}, { Messages: [{ Body: body }] }, 200);
    const deleted = unitsOf('AmazonSQS.DeleteMessageBatch', { Entries: [{}] }, {}, 200);

    expect([sent, received, deleted].map(({ queueRequests }) => queueRequests)).toEqual([requests, requests, 1]);
  });

  it('belong to an operation with its table or kind of queue', () => {
    const transact = {
      TransactItems: [{ Put: { TableName: 'local-core' } }, { Update: { TableName: 'local-fleet' } }],
    };

    expect(operationOf(TRANSACT, transact)).toBe('DynamoDB TransactWriteItems core+fleet');
    expect(
      operationOf('DynamoDB_20120810.BatchExecuteStatement', {
        Statements: [{ Statement: `INSERT INTO "local-core" VALUE {'pk': ?}` }],
      }),
    ).toBe('DynamoDB BatchExecuteStatement core');
    expect(operationOf('AmazonSQS.SendMessage', { QueueUrl: 'http://h/0/local-events.fifo' })).toBe(
      'SQS SendMessage events',
    );
    expect(operationOf('AmazonSQS.SendMessage', { QueueUrl: 'http://h/0/local-command-0002.fifo' })).toBe(
      'SQS SendMessage command',
    );
  });

  it('of messages leave out what is asked for at rest, and receives in vain', () => {
    const rest = [tally('worker', 'DynamoDB UpdateItem fleet', 20), tally('ingest', 'SQS ReceiveMessage events', 20)];
    const polls = { ...tally('ingest', 'SQS ReceiveMessage events', 30), queueRequests: 30, empty: 10 };

    const perMessage = toPerMessage(
      [tally('worker', 'DynamoDB UpdateItem fleet', 10), tally('ingest', 'DynamoDB PutItem core', 100), polls],
      { rest, seconds: 5, count: 100 },
    );

    expect(perMessage.map(({ calls, queueRequests }) => [calls, queueRequests])).toEqual([
      [0, 0],
      [1, 0],
      [0.2, 0.2],
    ]);
  });
});
