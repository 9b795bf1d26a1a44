import type { SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { factBatchSchema } from '../../../shared/event/factBatch.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import type { ConnectionId, CorrelationId, MessageId, TenantId } from '../../../shared/kernel/id.ts';
import { silentLogger } from '../../../shared/platform/logger.ts';
import { makeSqsFactPublisher } from '../../../worker/facts/sqsFactPublisher.ts';
import { keepingMetrics } from '../../shared/platform/keepingMetrics.ts';
import { FakeSqs } from '../../simulation/aws/fakeSqs.ts';
import { openGate } from '../fleet/gates.ts';
import { oneEventQueue } from './queueAnswers.ts';

const URL = 'https://sqs/test-events-00.fifo';
const WORKERS = 100;
const CONNECTIONS = 10;
const FACTS = 2;

/** Many workers publish everything at once; a queue of SQS takes 300 calls a second of them, or of each group. */
async function publishAll(highThroughput: boolean) {
  const sqs = new FakeSqs();
  sqs.createQueue({ url: URL, visibilitySeconds: 30, highThroughput });
  const queue = {
    send: (command: unknown) => Promise.resolve().then(() => sqs.apply(command, Date.now())),
  } as unknown as SQSClient;
  const published = Array.from({ length: WORKERS }, async (_, worker) => {
    let batches = 0;
    const publisher = makeSqsFactPublisher({
      queue,
      stage: 'test',
      queueUrlBase: 'https://sqs/',
      gate: openGate,
      clock: systemClock,
      logger: silentLogger,
      metrics: keepingMetrics(),
      eventQueues: oneEventQueue,
      makeBatchId: () => `${worker}-${(batches += 1)}`,
    });
    await Promise.all(
      Array.from({ length: CONNECTIONS * FACTS }, (__, place) => {
        const connectionId = `con_${worker}_${place % CONNECTIONS}` as ConnectionId;
        const owned = { tenantId: 'tnt_1' as TenantId, connectionId, shard: 0, token: 1 };
        const messageId = 'msg_1' as MessageId;
        const fact = { kind: 'send_result', key: String(place), atMs: 1, messageId, state: 'sent' } as const;
        return publisher.publish(owned, [fact], 'cor-test-1' as CorrelationId);
      }),
    );
  });
  await Promise.all(published);
  const batches = sqs.messages(URL).map(({ body }) => factBatchSchema.parse(JSON.parse(body)));
  const byConnection = Map.groupBy(batches, ({ connectionId }) => connectionId);
  const inOrder = [...byConnection.values()].every((own) => {
    const places = own.flatMap(({ events }) => events.map(({ key }) => Number(key)));
    return places.length === FACTS && places.every((place, at) => at === 0 || place > (places[at - 1] ?? 0));
  });
  return { throttled: sqs.throttled(URL), connections: byConnection.size, inOrder };
}

describe('facts of many workers at once', () => {
  it('all come, each once and in order, when the queue throttles the calls', async () => {
    const { throttled, ...rest } = await publishAll(false);

    expect(throttled).toBeGreaterThan(0);
    expect(rest).toEqual({ connections: WORKERS * CONNECTIONS, inOrder: true });
  });

  it('are throttled nowhere in the mode of high throughput', async () => {
    expect(await publishAll(true)).toEqual({ throttled: 0, connections: WORKERS * CONNECTIONS, inOrder: true });
  });
});
