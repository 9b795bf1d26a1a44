/**
 * `npm run bench:calls`: what one call to DynamoDB or SQS costs the process that makes it, beside the same call by the SDK.
 * CPU time of this process, user and system, 16 calls at once and one after the other; the store is another process and
 * answers at once. Rounds of both ways alternate, so that a busy machine is busy for both. Exits 1 when ours is not the
 * cheaper in each row.
 */
import { cpus } from 'node:os';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ReceiveMessageCommand, SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { BatchGetCommand, DynamoDBDocumentClient, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { systemClock } from '../../shared/kernel/clock.ts';
import { makeDocumentClient, makeQueueClient } from '../../shared/platform/aws.ts';
import { makeBreakers } from '../../shared/platform/breakers.ts';
import { silentLogger } from '../../shared/platform/logger.ts';
import { aStoreConfig } from '../emulators/storeConfig.ts';
import { keepingMetrics } from '../shared/platform/keepingMetrics.ts';
import type { CallsServerAnswers } from './callsServer.ts';
import { TalkingChild } from './childTalk.ts';

const CALLS = 1_000;
const ROUNDS = 5;
const ITEMS = 10;
const AT_MS = Date.UTC(2026, 0, 1);

const key = (place: number) => ({
  pk: 'TENANT#tnt_01#CONNECTION#con_01JABCDEFGHJKMNPQRSTVWXYZ',
  sk: `MESSAGE#${place}`,
});
const text = 'x'.repeat(300);
const tens = Array.from({ length: ITEMS }, (_, place) => place);
const stored = (place: number) => ({
  pk: { S: key(place).pk },
  sk: { S: key(place).sk },
  state: { S: 'accepted' },
  atMs: { N: String(AT_MS) },
  content: { M: { type: { S: 'text' }, text: { M: { body: { S: 'hello' } } } } },
});

const server = TalkingChild.start<CallsServerAnswers>(new URL('callsServer.ts', import.meta.url));
const port = await server.ask('begin', {
  'DynamoDB_20120810.BatchGetItem': JSON.stringify({ Responses: { core: tens.map(stored) }, UnprocessedKeys: {} }),
  'AmazonSQS.SendMessageBatch': JSON.stringify({
    Successful: tens.map((place) => ({
      Id: String(place),
      MessageId: 'm',
      MD5OfMessageBody: 'd',
      SequenceNumber: '1',
    })),
    Failed: [],
  }),
  'AmazonSQS.ReceiveMessage': JSON.stringify({
    Messages: tens.map((place) => ({
      MessageId: `m${place}`,
      ReceiptHandle: 'r'.repeat(120),
      MD5OfBody: 'd',
      Body: text,
    })),
  }),
});
const endpoint = `http://127.0.0.1:${port}`;
const config = aStoreConfig({ dynamoDb: { endpoint }, queues: { endpoint, queueUrlBase: `${endpoint}/0/` } });
const metrics = keepingMetrics();
const guards = {
  breakers: makeBreakers({ clock: systemClock, metrics, logger: silentLogger }),
  timeLeftMs: () => 30_000,
};
const sdk = { region: config.region, endpoint };

interface Clients {
  readonly table: Pick<DynamoDBDocumentClient, 'send'>;
  readonly queue: Pick<SQSClient, 'send'>;
}
const ours: Clients = { table: makeDocumentClient(config, guards), queue: makeQueueClient(config, guards) };
const theirs: Clients = {
  table: DynamoDBDocumentClient.from(new DynamoDBClient(sdk)),
  queue: new SQSClient({ ...sdk, md5: false }),
};
const QueueUrl = `${config.queueUrlBase}events.fifo`;
const calls: Readonly<Record<string, (clients: Clients, place: number) => Promise<unknown>>> = {
  UpdateItem: ({ table }, place) =>
    table.send(
      new UpdateCommand({
        TableName: 'core',
        Key: key(place),
        UpdateExpression: 'SET #state = :state, sentAtMs = :at',
        ConditionExpression: 'attribute_exists(pk) AND #state = :before',
        ExpressionAttributeNames: { '#state': 'state' },
        ExpressionAttributeValues: { ':state': 'sent', ':at': AT_MS, ':before': 'accepted' },
      }),
    ),
  PutItem: ({ table }, place) =>
    table.send(
      new PutCommand({ TableName: 'core', Item: { ...key(place), atMs: AT_MS, content: { type: 'text', text } } }),
    ),
  'BatchGetItem of 10': ({ table }) =>
    table.send(new BatchGetCommand({ RequestItems: { core: { Keys: tens.map(key) } } })),
  'SendMessageBatch of 10': ({ queue }) =>
    queue.send(
      new SendMessageBatchCommand({
        QueueUrl,
        Entries: tens.map((place) => ({ Id: String(place), MessageBody: text, MessageGroupId: 'g' })),
      }),
    ),
  'ReceiveMessage of 10': ({ queue }) =>
    queue.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: ITEMS })),
};

/** CPU time of each of these calls, in microseconds. */
async function measure(call: (place: number) => Promise<unknown>, atOnce: number, count: number): Promise<number> {
  let begun = 0;
  const before = process.cpuUsage();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (begun < count) await call((begun += 1));
    }),
  );
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

say(`${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}, node ${process.version}\n`);
say('CPU of a call, µs           at once      ours   the SDK’s');
let isCheaper = true;
for (const [name, call] of Object.entries(calls)) {
  for (const clients of [ours, theirs]) await measure((place) => call(clients, place), 16, CALLS);
  for (const atOnce of [16, 1]) {
    const spent = { ours: [] as number[], theirs: [] as number[] };
    for (let round = 0; round < ROUNDS; round += 1) {
      spent.ours.push(await measure((place) => call(ours, place), atOnce, CALLS));
      spent.theirs.push(await measure((place) => call(theirs, place), atOnce, CALLS));
    }
    const [mine, others] = [median(spent.ours), median(spent.theirs)];
    isCheaper &&= mine < others;
    say(
      `${name.padEnd(28)}${String(atOnce).padStart(7)}${mine.toFixed(0).padStart(10)}${others.toFixed(0).padStart(12)}`,
    );
  }
}
await server.stop();
process.exit(isCheaper ? 0 : 1);
