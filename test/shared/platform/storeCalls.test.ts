import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConditionalCheckFailedException, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { DeleteMessageCommand, GetQueueUrlCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { BatchGetCommand, GetCommand, PutCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { afterEach, describe, expect, it } from 'vitest';
import { makeDocumentClient, makeQueueClient } from '../../../shared/platform/aws.ts';
import { judgeFailure } from '../../../shared/platform/judgeFailure.ts';
import { failedAtStore } from '../../../shared/platform/storeFailure.ts';
import type { StoreConfig } from '../../../shared/platform/storeConfig.ts';
import { aStoreConfig } from '../../emulators/storeConfig.ts';

interface Asked {
  readonly target: string;
  readonly body: Record<string, unknown>;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}
type Answer = readonly [status: number, body: unknown, headers?: Readonly<Record<string, string>>];

let server: Server | undefined;
const asked: Asked[] = [];
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  asked.length = 0;
});

/** A store that gives these answers in turn, the last one again and again. */
async function aStore(...answers: readonly Answer[]): Promise<StoreConfig> {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Asked['body'];
      asked.push({ target: String(request.headers['x-amz-target']), body, headers: request.headers });
      const [status, answer, headers] = answers[Math.min(asked.length, answers.length) - 1] ?? [200, {}];
      response.writeHead(status, headers);
      response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return aStoreConfig({ dynamoDb: { endpoint }, queues: { endpoint, queueUrlBase: `${endpoint}/0/` } });
}

const get = new GetCommand({ TableName: 't', Key: { pk: 'a' } });
const failureOf = (call: Promise<unknown>): Promise<Error> =>
  call.then(
    () => new Error('it answered'),
    (error: Error) => error,
  );

describe('a call that we carry', () => {
  it('says what the SDK would say, and reads the answer', async () => {
    const config = await aStore([200, { Item: { pk: { S: 'a' }, n: { N: '7' }, bytes: { B: 'AQI=' } } }]);

    const { Item } = await makeDocumentClient(config).send(get);

    expect(Item).toEqual({ pk: 'a', n: 7, bytes: new Uint8Array([1, 2]) });
    expect(asked).toMatchObject([
      { target: 'DynamoDB_20120810.GetItem', body: { TableName: 't', Key: { pk: { S: 'a' } } } },
    ]);
    expect(asked[0]?.headers['authorization']).toMatch(/^AWS4-HMAC-SHA256 Credential=.*\/dynamodb\/aws4_request, /);
  });

  it('reads many items of many tables, and the keys that were not processed', async () => {
    const Responses = { one: [{ pk: { S: 'a' } }], two: [] };
    const config = await aStore([200, { Responses, UnprocessedKeys: { two: { Keys: [{ pk: { S: 'b' } }] } } }]);
    const keys = (pk: string) => ({ Keys: [{ pk }] });

    const answer = await makeDocumentClient(config).send(
      new BatchGetCommand({ RequestItems: { one: keys('a'), two: keys('b') } }),
    );

    expect(answer.Responses).toEqual({ one: [{ pk: 'a' }], two: [] });
    expect(answer.UnprocessedKeys).toEqual({ two: { Keys: [{ pk: 'b' }] } });
    expect(asked[0]?.body).toEqual({
      RequestItems: { one: { Keys: [{ pk: { S: 'a' } }] }, two: { Keys: [{ pk: { S: 'b' } }] } },
    });
  });

  it('throws the class of a condition that is not met, with the item in the way, and makes one try', async () => {
    const config = await aStore([
      400,
      {
        __type: 'com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException',
        message: 'no',
        Item: { b: { B: 'AQI=' } },
      },
    ]);

    const error = await failureOf(
      makeDocumentClient(config).send(new PutCommand({ TableName: 't', Item: { pk: 'a' } })),
    );

    expect(error).toBeInstanceOf(ConditionalCheckFailedException);
    expect((error as ConditionalCheckFailedException).Item).toEqual({ b: { B: new Uint8Array([1, 2]) } });
    expect(asked).toHaveLength(1);
  });

  it('throws the class of a transaction that was cancelled, with the reasons', async () => {
    const CancellationReasons = [{ Code: 'None' }, { Code: 'ConditionalCheckFailed', Item: { pk: { S: 'a' } } }];
    const config = await aStore([
      400,
      { __type: 'x#TransactionCanceledException', Message: 'no', CancellationReasons },
    ]);

    const error = await failureOf(makeDocumentClient(config).send(new TransactWriteCommand({ TransactItems: [] })));

    expect(error).toBeInstanceOf(TransactionCanceledException);
    expect((error as TransactionCanceledException).CancellationReasons).toEqual(CancellationReasons);
  });

  it('has one token for all tries of a transaction, and another for the next one', async () => {
    const config = await aStore([500, { __type: 'x#InternalServerError' }], [200, {}]);
    const table = makeDocumentClient(config);

    await table.send(new TransactWriteCommand({ TransactItems: [] }));
    await table.send(new TransactWriteCommand({ TransactItems: [] }));

    const [first, again, other] = asked.map(({ body }) => body['ClientRequestToken']);
    expect(again).toBe(first);
    expect(other).not.toBe(first);
    expect(first).toMatch(/^[\da-f-]{36}$/);
  });

  it.each<[string, Answer]>([
    ['a failure of the store', [500, { __type: 'x#InternalServerError' }]],
    ['a page of somebody in between', [503, '<html>']],
    ['throttling', [400, { __type: 'x#ThrottlingException', message: 'slow down' }]],
  ])('is tried again, three times in all, after %s, which passes and is the store’s', async (_name, answer) => {
    const config = await aStore(answer);

    const error = await failureOf(makeDocumentClient(config).send(get));

    expect(asked).toHaveLength(3);
    expect(judgeFailure(error)).toBe('passing');
    expect(failedAtStore(error)).toBe(true);
  });

  it('is the store’s failure, too, when nobody listens', async () => {
    const config = await aStore();
    server?.close();

    const error = await failureOf(makeDocumentClient(config).send(get));

    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
    expect(failedAtStore(error)).toBe(true);
  });

  it('is made by the clock of the store when it was refused for its time', async () => {
    const theirs = 'Wed, 21 Oct 2015 07:28:00 GMT';
    const config = await aStore([403, { __type: 'x#RequestTimeTooSkewed' }, { date: theirs }], [200, {}]);

    await makeDocumentClient(config).send(get);

    expect(asked).toHaveLength(2);
    expect(asked[1]?.headers['x-amz-date']).toMatch(/^20151021T0728/);
  });

  it('names an error of SQS by its own name, and reads an empty answer', async () => {
    const config = await aStore([400, { __type: 'com.amazonaws.sqs#QueueDoesNotExist' }], [200, '']);
    const queue = makeQueueClient(config);
    const QueueUrl = `${config.queueUrlBase}q`;

    const error = await failureOf(queue.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' })));
    await queue.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: 'r' }));

    expect(error).toMatchObject({ name: 'QueueDoesNotExist', $metadata: { httpStatusCode: 400 } });
    expect(asked.map(({ target }) => target)).toEqual(['AmazonSQS.SendMessage', 'AmazonSQS.DeleteMessage']);
  });

  it('leaves every other command to the SDK', async () => {
    const config = await aStore([200, { QueueUrl: 'there' }]);

    const { QueueUrl } = await makeQueueClient(config).send(new GetQueueUrlCommand({ QueueName: 'q' }));

    expect(QueueUrl).toBe('there');
    expect(asked[0]?.headers['user-agent']).toContain('aws-sdk-js');
  });
});
