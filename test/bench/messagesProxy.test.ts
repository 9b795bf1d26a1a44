import {
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { credentialsOf, type Caller } from '../../infra/local/callers.ts';
import { commandQueueName } from '../../shared/platform/queues.ts';
import { SHARD_INDEX } from '../../shared/platform/tables.ts';
import { createTables, startDynamoDb } from '../emulators/dynamodb.ts';
import { createQueues, startQueues } from '../emulators/queues.ts';
import { MessagesProxy } from './messagesProxy.ts';

const STAGE = 'bench';
const TableName = `${STAGE}-core`;
const KILOBYTE = 'x'.repeat(1_000);
const proxy = new MessagesProxy();
const held: { destroy: () => void }[] = [];
let [dynamoDb, sqs]: [Awaited<ReturnType<typeof startDynamoDb>>?, Awaited<ReturnType<typeof startQueues>>?] = [];
let reach = { dynamoDb: '', sqs: '' };

beforeAll(async () => {
  [dynamoDb, sqs] = await Promise.all([startDynamoDb(), startQueues()]);
  await Promise.all([createTables(dynamoDb.endpoint, STAGE), createQueues(sqs.endpoint, STAGE, 1)]);
  reach = await proxy.inFront({ dynamoDb: dynamoDb.endpoint, sqs: sqs.endpoint, s3: 'http://127.0.0.1:1' });
});

afterAll(async () => {
  for (const client of held) client.destroy();
  await proxy.stop();
  await Promise.all([dynamoDb?.stop(), sqs?.stop()]);
});

const clientOf = (caller: Caller): DynamoDBClient => {
  const client = new DynamoDBClient({
    endpoint: reach.dynamoDb,
    region: 'us-east-1',
    credentials: credentialsOf(caller),
  });
  held.push(client);
  return client;
};
const keyOf = (sk: string) => ({ pk: { S: 'p' }, sk: { S: sk } });
const itemOf = (sk: string, kilobytes: number) => ({ ...keyOf(sk), value: { S: KILOBYTE.repeat(kilobytes) } });

describe('the proxy before the stores', () => {
  it('counts write units as DynamoDB bills them: by size, in indexes, twice in a transaction', async () => {
    const client = clientOf('ingest');
    const inIndex = { ...itemOf('b', 2), [SHARD_INDEX.partitionKey]: { S: 'shard' } };

    await client.send(new PutItemCommand({ TableName, Item: itemOf('a', 3) }));
    const large = proxy.take();
    await client.send(new PutItemCommand({ TableName, Item: inIndex }));
    const indexed = proxy.take();
    await client.send(
      new TransactWriteItemsCommand({
        TransactItems: [
          { Put: { TableName, Item: itemOf('c', 3) } },
          { Put: { TableName: `${STAGE}-fleet`, Item: keyOf('d') } },
        ],
      }),
    );
    const together = proxy.take();

    expect([large, indexed, together].map(([tally]) => tally?.writeUnits)).toEqual([3, 4, 8]);
    expect(together[0]?.operation).toBe('DynamoDB TransactWriteItems core+fleet');
  });

  it('counts an update by the whole item, and one whose condition fails', async () => {
    const client = clientOf('ingest');
    await client.send(new PutItemCommand({ TableName, Item: itemOf('u', 3) }));
    proxy.take();
    const change = {
      TableName,
      Key: keyOf('u'),
      UpdateExpression: 'SET #w = :w',
      ExpressionAttributeNames: { '#w': 'w' },
      ExpressionAttributeValues: { ':w': { S: 'new' } },
    };

    await client.send(new UpdateItemCommand(change));
    await expect(
      client.send(new UpdateItemCommand({ ...change, ConditionExpression: 'attribute_not_exists(pk)' })),
    ).rejects.toThrow('conditional');
    const [tally] = proxy.take();

    expect(tally).toMatchObject({ calls: 2, writeUnits: 4, refused: 1 });
  });

  it('counts reads by who asked, and shows the caller the answer as it would be without it', async () => {
    const [api, worker] = [clientOf('api'), clientOf('worker')];
    await api.send(new PutItemCommand({ TableName, Item: itemOf('r', 5) }));
    proxy.take();

    const answer = await api.send(new GetItemCommand({ TableName, Key: keyOf('r'), ConsistentRead: true }));
    await worker.send(new GetItemCommand({ TableName, Key: keyOf('r') }));
    const tallies = proxy.take();

    expect(answer.ConsumedCapacity).toBeUndefined();
    expect(answer.Item?.['value']?.S).toHaveLength(5_000);
    expect(tallies.map(({ caller, readUnits }) => [caller, readUnits])).toEqual([
      ['api', 2],
      ['worker', 1],
    ]);
  });

  it('counts requests to queues, and receives that brought nothing', async () => {
    const client = new SQSClient({ endpoint: reach.sqs, region: 'us-east-1', credentials: credentialsOf('deliver') });
    held.push(client);
    const QueueUrl = `${sqs?.queueUrlBase ?? ''}${commandQueueName(STAGE, 0)}`;
    proxy.take();

    await client.send(
      new SendMessageCommand({ QueueUrl, MessageBody: 'a', MessageGroupId: 'g', MessageDeduplicationId: 'd' }),
    );
    for (let times = 0; times < 2; times += 1) await client.send(new ReceiveMessageCommand({ QueueUrl }));
    const tallies = proxy.take();

    expect(tallies.map(({ operation, queueRequests, empty }) => [operation, queueRequests, empty])).toEqual([
      ['SQS SendMessage command', 1, 0],
      ['SQS ReceiveMessage command', 2, 1],
    ]);
  });

  it('lets the answers wait that it is told to delay, and no others', async () => {
    const client = clientOf('worker');
    const key = { TableName, Key: keyOf('r') };
    const timed = async (): Promise<number> => {
      const startedMs = performance.now();
      await client.send(new GetItemCommand(key));
      return performance.now() - startedMs;
    };

    proxy.delay((caller, target) => (caller === 'worker' && target.endsWith('GetItem') ? 300 : 0));
    const delayedMs = await timed();
    proxy.delay((caller) => (caller === 'api' ? 20_000 : 0));
    const otherMs = await timed();
    proxy.delay(() => 0);

    expect(delayedMs).toBeGreaterThanOrEqual(299);
    expect(otherMs).toBeLessThan(20_000);
  });
});
