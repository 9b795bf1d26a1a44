import { ChangeMessageVisibilityCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeDeliverHandler } from '../../../functions/deliver/handler.ts';
import { readDeadLetters } from '../../../shared/deadLetters/readDeadLetters.ts';
import { settleDeadLetters } from '../../../shared/deadLetters/settleDeadLetters.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { makeDeliveryId, type CorrelationId } from '../../../shared/kernel/id.ts';
import { WINDOW_MS, windowOf } from '../../../shared/message/windowNotes.ts';
import { AddressGuard, systemResolve } from '../../../shared/platform/addressGuard.ts';
import { attemptPartition, WAITING_PREFIX } from '../../../shared/platform/keys.ts';
import { allOf, queryItems } from '../../../shared/platform/pages.ts';
import { tableName } from '../../../shared/platform/tables.ts';
import { DELIVERY_ATTEMPTS } from '../../../shared/webhook/attempt.ts';
import type { Delivery } from '../../../shared/webhook/delivery.ts';
import type { Endpoint } from '../../../shared/webhook/endpoint.ts';
import { makeWebhookPoster, type WebhookPoster } from '../../../shared/webhook/postWebhook.ts';
import { releaseDue, releaseFailed } from '../../../shared/webhook/releaseDeliveries.ts';
import { aStatusDraft, logEvent } from '../../shared/event/loggedEvents.ts';
import { startReceiver, type Receiver } from '../../shared/webhook/receiver.ts';
import { aRecord, aTenantWith, startQueueStack, takeDeliveries, type QueueStack } from '../queueStack.ts';

const HOUR_MS = 3_600_000;
const DELIVERIES = 5;

/** A message of the queue in the time of the test, which goes from one thing that happens to the next. */
interface Shown {
  readonly atMs: number;
  readonly delivery: Delivery;
  readonly receiveCount: number;
}

describe('a receiver that is down for the whole schedule', () => {
  let stack: QueueStack;
  let poster: WebhookPoster;
  let receiver: Receiver;
  let status = 500;
  beforeAll(async () => {
    stack = await startQueueStack();
    receiver = await startReceiver((_request, response) => response.writeHead(status).end());
    const guard = new AddressGuard({ resolve: systemResolve, allowLoopback: true });
    poster = makeWebhookPoster({ guard, clock: systemClock, timeoutMs: 5_000 });
  });
  afterAll(async () => {
    await Promise.all([poster.close(), receiver.stop()]);
    await stack.stop();
  });

  const shown = (delivery: Delivery): Shown => ({ atMs: stack.clock.nowMs(), delivery, receiveCount: 1 });
  /** Has an instance try a message. Returns the message as it is shown again; undefined when it left the queue. */
  const attempt = async ({ delivery, receiveCount }: Shown): Promise<Shown | undefined> => {
    let hiddenMs = 0;
    const send = (command: Parameters<SQSClient['send']>[0]) => {
      if (!(command instanceof ChangeMessageVisibilityCommand)) return stack.queue.send(command);
      hiddenMs = Number(command.input.VisibilityTimeout) * 1_000;
      return Promise.resolve({});
    };
    const queue = Object.assign(Object.create(stack.queue) as SQSClient, { send });
    const record = aRecord(JSON.stringify(delivery));
    const attributes = { ...record.attributes, ApproximateReceiveCount: String(receiveCount) };
    const handler = makeDeliverHandler({ ...stack, poster, queue });
    const { batchItemFailures } = await handler({ Records: [{ ...record, attributes }] });
    if (batchItemFailures.length === 0) return undefined;
    return { atMs: stack.clock.nowMs() + hiddenMs, delivery, receiveCount: receiveCount + 1 };
  };
  /** When the next delivery is due that was put aside; undefined where there is none. */
  const nextDue = async ({ endpointId }: Endpoint): Promise<number | undefined> => {
    const rows = queryItems(stack.table, {
      TableName: tableName(stack.stage, 'core'),
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': attemptPartition(endpointId), ':prefix': WAITING_PREFIX },
      ConsistentRead: true,
    });
    const dues = (await allOf(rows)).flatMap(({ dueAtMs }) => (typeof dueAtMs === 'number' ? [dueAtMs] : []));
    return dues.length === 0 ? undefined : Math.min(...dues);
  };
  const goTo = (atMs: number): void => stack.clock.advance(Math.max(0, atMs - stack.clock.nowMs()));
  /** Goes on in time until no message is shown any more and nothing was put aside. */
  const untilAllEnded = async (endpoint: Endpoint, first: readonly Shown[]): Promise<void> => {
    let queue = [...first];
    for (let turn = 0; turn < 500; turn += 1) {
      const next = queue.toSorted((left, right) => left.atMs - right.atMs)[0];
      const dueAtMs = await nextDue(endpoint);
      if (next !== undefined && (dueAtMs === undefined || next.atMs <= dueAtMs)) {
        queue = queue.filter((one) => one !== next);
        goTo(next.atMs);
        const again = await attempt(next);
        if (again !== undefined) queue.push(again);
      } else if (dueAtMs === undefined) {
        return;
      } else {
        // Reconcile comes to a window when it is over.
        goTo(dueAtMs + WINDOW_MS);
        await releaseDue(stack, windowOf(dueAtMs), { nowMs: stack.clock.nowMs(), most: 100 });
      }
      queue.push(...(await takeDeliveries(stack)).map(shown));
    }
    throw new Error('the deliveries do not end');
  };

  it('is asked for more than a day, gets all that failed by one call when it is back, and nothing twice', async () => {
    const { tenantId, endpoints } = await aTenantWith(stack, [{ url: `${receiver.url}/hook` }]);
    const endpoint = endpoints[0] as Endpoint;
    const { endpointId } = endpoint;
    const deliveries: Delivery[] = [];
    for (let made = 0; made < DELIVERIES; made += 1) {
      const eventId = await logEvent(stack, aStatusDraft(tenantId));
      const correlationId = 'cor-of-request' as CorrelationId;
      const deliveryId = makeDeliveryId(endpointId, eventId);
      deliveries.push({ version: 1, tenantId, endpointId, eventId, correlationId, deliveryId });
    }
    const startMs = stack.clock.nowMs();

    await untilAllEnded(endpoint, deliveries.map(shown));

    const tried = receiver.received.length;
    const idsTried = new Set(receiver.received.map(({ headers }) => headers['webhook-id']));
    expect(idsTried.size).toBe(DELIVERIES);
    expect(stack.clock.nowMs() - startMs).toBeGreaterThan(24 * HOUR_MS);
    expect(tried).toBeLessThanOrEqual(DELIVERIES * DELIVERY_ATTEMPTS);
    const { letters } = await readDeadLetters(stack, { kinds: ['deliveries'], tenantId }, 10);
    expect(letters.map(({ reason }) => reason)).toEqual(Array(DELIVERIES).fill('not_taken'));
    expect(
      letters.every(
        ({ firstFailure, lastFailure }) => firstFailure?.httpStatus === 500 && lastFailure?.httpStatus === 500,
      ),
    ).toBe(true);

    status = 200;
    const nowMs = stack.clock.nowMs();
    const { released } = await releaseFailed(stack, endpointId, { nowMs, sinceMs: startMs, after: undefined });
    await untilAllEnded(endpoint, (await takeDeliveries(stack)).map(shown));

    const takenIds = () => receiver.received.slice(tried).map(({ headers }) => headers['webhook-id']);
    expect(released).toBe(DELIVERIES);
    expect(takenIds().map(String).sort()).toEqual(deliveries.map(({ eventId }) => String(eventId)).sort());

    // The dead letters are redriven on top of that: each finds a newer round of itself.
    const all = { act: 'redrive', by: 'test', isMeant: () => true, most: { looked: 100, settled: 100 } } as const;
    const { settled } = await settleDeadLetters(
      { ...stack, findConnection: () => Promise.resolve(undefined) },
      'deliveries',
      all,
    );
    await untilAllEnded(endpoint, (await takeDeliveries(stack)).map(shown));
    expect(settled).toHaveLength(DELIVERIES);
    expect(takenIds()).toHaveLength(DELIVERIES);
  });
});
