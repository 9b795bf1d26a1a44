import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeDeliveryId, makeId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import {
  judgeOutcome,
  listAttempts,
  recordAttempt,
  retryDelaySeconds,
  type Attempt,
} from '../../../shared/webhook/attempt.ts';
import { startEventStores, type EventStores } from '../event/eventStores.ts';
import { eventIdOf } from '../event/loggedEvents.ts';

describe('attempts', () => {
  let stores: EventStores;
  beforeAll(async () => {
    stores = await startEventStores();
  });
  afterAll(() => stores.stop());

  it.each([
    { outcome: { outcome: 'answered', httpStatus: 200, retryAfterMs: 0, durationMs: 1 }, result: 'delivered' },
    { outcome: { outcome: 'answered', httpStatus: 299, retryAfterMs: 0, durationMs: 1 }, result: 'delivered' },
    { outcome: { outcome: 'answered', httpStatus: 302, retryAfterMs: 0, durationMs: 1 }, result: 'failed' },
    { outcome: { outcome: 'answered', httpStatus: 400, retryAfterMs: 0, durationMs: 1 }, result: 'failed' },
    { outcome: { outcome: 'answered', httpStatus: 410, retryAfterMs: 0, durationMs: 1 }, result: 'gone' },
    { outcome: { outcome: 'answered', httpStatus: 503, retryAfterMs: 0, durationMs: 1 }, result: 'failed' },
    { outcome: { outcome: 'timed_out', durationMs: 1 }, result: 'failed' },
    { outcome: { outcome: 'refused', refusal: 'not_public', durationMs: 1 }, result: 'failed' },
    { outcome: { outcome: 'unreachable', reason: 'ECONNREFUSED', durationMs: 1 }, result: 'failed' },
  ] as const)('are $result after $outcome', ({ outcome, result }) => {
    expect(judgeOutcome(outcome)).toBe(result);
  });

  it('come in 5 s, 30 s, 2 min, 5 min, 10 min and then every 15 min, spread by a quarter', () => {
    const attempts = Array.from({ length: 14 }, (_, index) => index + 1);

    expect(attempts.map((attempt) => retryDelaySeconds(attempt, 0.5))).toEqual([
      5,
      30,
      120,
      300,
      600,
      ...Array<number>(9).fill(900),
    ]);
    expect([retryDelaySeconds(4, 0), retryDelaySeconds(4, 0.999)]).toEqual([225, 375]);
  });

  it('are kept under their endpoint, newest first', async () => {
    const nowMs = stores.clock.nowMs();
    const endpointId = makeId('end', nowMs, systemRandom);
    const eventId = eventIdOf(7);
    const anAttempt = (number: number): Attempt => ({
      endpointId,
      deliveryId: makeDeliveryId(endpointId, eventId),
      eventId,
      number,
      atMs: nowMs + number * 5_000,
      result: number === 1 ? 'failed' : 'delivered',
      httpStatus: number === 1 ? undefined : 200,
      reason: number === 1 ? 'timed_out' : undefined,
      durationMs: 12,
    });

    await recordAttempt(stores, anAttempt(1));
    await recordAttempt(stores, anAttempt(2));

    expect(await listAttempts(stores, endpointId, { limit: 10, nowMs })).toEqual([anAttempt(2), anAttempt(1)]);
    expect(await listAttempts(stores, endpointId, { limit: 10, nowMs: nowMs + 31 * 86_400_000 })).toEqual([]);
  });
});
