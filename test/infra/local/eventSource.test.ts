import { randomUUID } from 'node:crypto';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEventSource } from '../../../infra/local/eventSource.ts';
import { until } from '../../../infra/local/until.ts';
import { silentLogger } from '../../../shared/platform/logger.ts';
import { commandQueueName, deliveryQueueName, eventQueueName } from '../../../shared/platform/queues.ts';
import { createQueues, startQueues } from '../../emulators/queues.ts';

describe('event source', () => {
  let queues: Awaited<ReturnType<typeof startQueues>>;
  let client: SQSClient;
  beforeAll(async () => {
    queues = await startQueues();
    await createQueues(queues.endpoint, 'test', 1);
    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
    client = new SQSClient({ endpoint: queues.endpoint, region: 'us-east-1', credentials });
  });
  afterAll(() => queues.stop());

  const start = (queueName: string, handler: (event: SQSEvent) => Promise<SQSBatchResponse>, timeoutMs = 5_000) =>
    startEventSource({
      polling: client,
      acting: client,
      queueUrl: `${queues.queueUrlBase}${queueName}`,
      queueName,
      handler,
      batchSize: 10,
      waitSeconds: 1,
      timeoutMs,
      concurrency: 1,
      logger: silentLogger,
    });
  const send = (queueName: string, body: string, group?: string) =>
    client.send(
      new SendMessageCommand({
        QueueUrl: `${queues.queueUrlBase}${queueName}`,
        MessageBody: body,
        ...(group === undefined ? {} : { MessageGroupId: group, MessageDeduplicationId: randomUUID() }),
      }),
    );

  it('invokes with records as Lambda does, and deletes what was handled', async () => {
    const queueName = eventQueueName('test');
    const events: SQSEvent[] = [];
    await send(queueName, 'hello', 'group-1');

    const source = start(queueName, async (event) => {
      events.push(event);
      return { batchItemFailures: [] };
    });
    await until(
      'the batch',
      () => events.length,
      (count) => count === 1,
    );
    await source.stop();

    expect(events[0]?.Records).toMatchObject([
      {
        body: 'hello',
        eventSource: 'aws:sqs',
        eventSourceARN: `arn:aws:sqs:us-east-1:000000000000:${queueName}`,
        attributes: { MessageGroupId: 'group-1', ApproximateReceiveCount: '1' },
      },
    ]);
    expect(events[0]?.Records[0]?.attributes.SequenceNumber).toMatch(/^\d+$/);
  });

  it('leaves what was reported as failed in the queue, and what follows in its group behind it', async () => {
    const queueName = commandQueueName('test', 0);
    const handled: string[] = [];
    for (const body of ['first', 'second']) await send(queueName, body, 'group-2');

    const source = start(queueName, async ({ Records }) => {
      handled.push(...Records.map(({ body }) => body));
      return { batchItemFailures: Records.map(({ messageId }) => ({ itemIdentifier: messageId })) };
    });
    await until(
      'the first',
      () => handled.length,
      (count) => count >= 1,
    );
    await source.stop();

    expect(new Set(handled)).toEqual(new Set(['first']));
  });

  it.each<readonly [what: string, handler: () => Promise<SQSBatchResponse>]>([
    ['throws', () => Promise.reject(new Error('broken'))],
    ['takes longer than its timeout', () => new Promise(() => undefined)],
  ])('keeps the batch of a function that %s', async (what, handler) => {
    const queueName = deliveryQueueName('test');
    let calls = 0;
    await send(queueName, what);

    const source = start(
      queueName,
      () => {
        calls += 1;
        return handler();
      },
      100,
    );
    await until(
      'the call',
      () => calls,
      (count) => count === 1,
    );
    await source.stop();
    const again: string[] = [];
    const late = start(queueName, async ({ Records }) => {
      again.push(...Records.map(({ body }) => body));
      return { batchItemFailures: [] };
    });
    await late.stop();

    // Hidden until its visibility timeout: neither gone nor handed out twice at once.
    expect(again).toEqual([]);
  });
});
