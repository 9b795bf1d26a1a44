import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeDocumentClient, makeQueueClient } from '../../shared/platform/aws.ts';
import { eventQueueName } from '../../shared/platform/queues.ts';
import { tableName } from '../../shared/platform/tables.ts';
import { createTables, startDynamoDb } from './dynamodb.ts';
import { createQueues, startQueues } from './queues.ts';
import { aStoreConfig } from './storeConfig.ts';

describe('emulators', () => {
  let dynamoDb: Awaited<ReturnType<typeof startDynamoDb>>;
  let queues: Awaited<ReturnType<typeof startQueues>>;
  beforeAll(async () => {
    [dynamoDb, queues] = await Promise.all([startDynamoDb(), startQueues()]);
    await createTables(dynamoDb.endpoint, 'test');
    await createQueues(queues.endpoint, 'test', 2);
  });
  afterAll(async () => {
    await Promise.all([dynamoDb.stop(), queues.stop()]);
  });

  it('keep an item in a table', async () => {
    const table = makeDocumentClient(aStoreConfig({ dynamoDb, queues }));

    await table.send(new PutCommand({ TableName: tableName('test', 'core'), Item: { pk: 'A', sk: 'B', n: 1 } }));
    const answer = await table.send(
      new GetCommand({ TableName: tableName('test', 'core'), Key: { pk: 'A', sk: 'B' } }),
    );

    expect(answer.Item).toEqual({ pk: 'A', sk: 'B', n: 1 });
  });

  it('keep a message in a queue', async () => {
    const queue = makeQueueClient(aStoreConfig({ dynamoDb, queues }));
    const QueueUrl = `${queues.queueUrlBase}${eventQueueName('test')}`;

    await queue.send(
      new SendMessageCommand({ QueueUrl, MessageBody: 'hello', MessageGroupId: 'g', MessageDeduplicationId: 'd' }),
    );
    const answer = await queue.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 1 }));

    expect(answer.Messages?.map((message) => message.Body)).toEqual(['hello']);
  });
});
