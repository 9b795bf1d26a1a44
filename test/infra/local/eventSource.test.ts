import { randomUUID } from 'node:crypto';
import { DeleteMessageBatchCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
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

  const start = (
    queueName: string,
    handler: (event: SQSEvent) => Promise<SQSBatchResponse>,
    options: Partial<Parameters<typeof startEventSource>[0]> = {},
  ) =>
    startEventSource({
      polling: client,
      acting: client,
      queueUrl: `${queues.queueUrlBase}${queueName}`,
      queueName,
      handler,
      batchSize: 10,
      waitSeconds: 1,
      timeoutMs: 5_000,
      concurrency: 1,
      gatherMs: 0,
      deleteLingerMs: 0,
      logger: silentLogger,
      ...options,
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
      { timeoutMs: 100 },
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

  /** A handler that is through with everything, after what is done first, and the bodies of each of its invocations. */
  const noting = (first: (bodies: readonly string[]) => Promise<void> = () => Promise.resolve()) => {
    const batches: (readonly string[])[] = [];
    const handler = async ({ Records }: SQSEvent): Promise<SQSBatchResponse> => {
      const bodies = Records.map(({ body }) => body);
      batches.push(bodies);
      await first(bodies);
      return { batchItemFailures: [] };
    };
    return { batches, handler };
  };

  it('deletes what several invocations handled in one call, before it ends, and then ends what they put off', async () => {
    const queueName = deliveryQueueName('test');
    const { batches, handler } = noting(async ([body]) => {
      if (body === 'a') await send(queueName, 'b');
      if (body === 'b') await send(queueName, 'c');
    });
    const deletes: number[] = [];
    const acting = Object.assign(Object.create(client) as typeof client, {
      send: (command: Parameters<typeof client.send>[0]) => {
        if (command instanceof DeleteMessageBatchCommand) deletes.push(command.input.Entries?.length ?? 0);
        return client.send(command);
      },
    });
    const ended: string[] = [];
    await send(queueName, 'a');

    const source = start(queueName, handler, {
      acting,
      deleteLingerMs: 2_000,
      end: async () => void ended.push(`after ${deletes.length}`),
    });
    await until(
      'all',
      () => batches.flat(),
      (bodies) => bodies.includes('c'),
    );
    await source.stop();

    expect(deletes.length).toBeLessThan(3);
    expect(deletes.reduce((sum, count) => sum + count, 0)).toBe(3);
    expect(ended).toEqual([`after ${deletes.length}`]);
  });

  it('puts what comes while an invocation runs into the next one', async () => {
    const queueName = eventQueueName('test');
    const { batches, handler } = noting(async ([body]) => {
      if (body !== 'one') return;
      await send(queueName, 'two', 'group-3');
      await send(queueName, 'three', 'group-4');
    });
    await send(queueName, 'one', 'group-3');

    const source = start(queueName, handler);
    await until(
      'all',
      () => batches.flat().length,
      (count) => count === 3,
    );
    await source.stop();

    expect(batches.map((bodies) => new Set(bodies))).toEqual([new Set(['one']), new Set(['two', 'three'])]);
  });

  it('lets the time of gathering pass between two invocations', async () => {
    const queueName = eventQueueName('test');
    const gatherMs = 300;
    const atMs: number[] = [];
    const { batches, handler } = noting(async ([body]) => {
      atMs.push(performance.now());
      if (body === 'before') await send(queueName, 'after', 'group-6');
    });
    await send(queueName, 'before', 'group-5');

    const source = start(queueName, handler, { gatherMs });
    await until(
      'both',
      () => batches.length,
      (count) => count === 2,
    );
    await source.stop();

    const [first = 0, second = 0] = atMs;
    // The first call came a little after its receive, from which the time counts.
    expect(second - first).toBeGreaterThan(gatherMs / 2);
  });

  it('does not gather behind a full batch', async () => {
    const queueName = deliveryQueueName('test');
    const bodies = Array.from({ length: 11 }, (_, index) => `full ${index}`);
    for (const body of bodies) await send(queueName, body);
    const { batches, handler } = noting();

    const source = start(queueName, handler, { gatherMs: 600_000 });
    await until(
      'all',
      () => new Set(batches.flat()),
      (handled) => bodies.every((body) => handled.has(body)),
    );
    await source.stop();

    expect(batches[0]).toHaveLength(10);
  });

  it('goes on beside an invocation that is slow', async () => {
    const queueName = eventQueueName('test');
    const slow = Promise.withResolvers<void>();
    const { batches, handler } = noting(([body]) => (body === 'slow' ? slow.promise : Promise.resolve()));
    await send(queueName, 'slow', 'group-7');

    const source = start(queueName, handler, { concurrency: 2 });
    await until(
      'the slow one',
      () => batches.length,
      (count) => count === 1,
    );
    await send(queueName, 'quick', 'group-8');
    await until(
      'the quick one',
      () => batches.length,
      (count) => count === 2,
    );
    slow.resolve();
    await source.stop();

    expect(batches).toEqual([['slow'], ['quick']]);
  });
});
