import type { PutCommand } from '@aws-sdk/lib-dynamodb';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeDeliveryId, makeId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import {
  DELIVERY_ATTEMPTS,
  judgeOutcome,
  MOST_SCOUTS,
  retryDelaySeconds,
  type Attempt,
} from '../../../shared/webhook/attempt.ts';
import { listAttempts, recordAttempts } from '../../../shared/webhook/attemptItems.ts';
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

  it('come after 5 s, 30 s, 2, 5, 10 and 30 min, 1, 2, 4 and then four times 8 h, spread by a quarter; the 14th is the last', () => {
    const attempts = Array.from({ length: DELIVERY_ATTEMPTS }, (_, index) => index + 1);

    expect(attempts.map((attempt) => retryDelaySeconds(attempt, 0.5))).toEqual([
      5,
      30,
      120,
      300,
      600,
      1_800,
      3_600,
      7_200,
      14_400,
      ...Array<number>(4).fill(28_800),
      undefined,
    ]);
    expect([retryDelaySeconds(4, 0), retryDelaySeconds(4, 0.999)]).toEqual([225, 375]);
  });

  it('always go on for more than a day, whatever chance says and however many were spent as a scout', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 0.999_999, noNaN: true }), { minLength: 14, maxLength: 14 }),
        fc.integer({ min: 0, max: MOST_SCOUTS }),
        (jitters, scouts) => {
          const waits = jitters.map((jitter, index) => (index < scouts ? 0 : retryDelaySeconds(index + 1, jitter)));
          const total = waits.reduce<number>((sum, seconds) => sum + (seconds ?? 0), 0);

          expect(total).toBeGreaterThan(24 * 3_600);
        },
      ),
    );
  });

  it('never come sooner than a second, and never later than half a day', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: DELIVERY_ATTEMPTS - 1 }),
        fc.double({ min: 0, max: 0.999_999, noNaN: true }),
        (attempt, jitter) => {
          const seconds = retryDelaySeconds(attempt, jitter) ?? 0;

          expect(seconds).toBeGreaterThanOrEqual(1);
          expect(seconds).toBeLessThanOrEqual(12 * 3_600);
        },
      ),
    );
  });

  /** Attempts to an endpoint of its own, by how many milliseconds after now they were made. */
  const someAttempts = (afterMs: readonly number[], overrides: Partial<Attempt> = {}) => {
    const nowMs = stores.clock.nowMs();
    const endpointId = makeId('end', nowMs, systemRandom);
    const attempts = afterMs.map((after, index): Attempt => {
      const eventId = eventIdOf(index + 1);
      const deliveryId = makeDeliveryId(endpointId, eventId);
      const usual = { number: 1, result: 'delivered', httpStatus: 200, reason: undefined, durationMs: 12 } as const;
      return { endpointId, deliveryId, eventId, atMs: nowMs + after, ...usual, ...overrides };
    });
    return { nowMs, endpointId, attempts };
  };

  it.each<Partial<Attempt>>([
    {},
    { number: 3, httpStatus: 204 },
    { result: 'failed', httpStatus: 500 },
    { result: 'failed', httpStatus: undefined, reason: 'timed_out' },
    { result: 'gone', httpStatus: 410, answer: 'no such hook' },
    { result: 'failed', httpStatus: 500, answer: 'déjà vu 👋' },
  ])('are read as they were kept: %j', async (overrides) => {
    const { nowMs, endpointId, attempts } = someAttempts([0, 7], overrides);

    await recordAttempts(stores, endpointId, attempts);

    expect(await listAttempts(stores, endpointId, { limit: 10, nowMs })).toEqual([attempts[1], attempts[0]]);
  });

  it('keep what a receiver said only where it did not take the event', async () => {
    const { nowMs, endpointId, attempts } = someAttempts([0], { answer: 'thank you' });

    await recordAttempts(stores, endpointId, attempts);

    expect((await listAttempts(stores, endpointId, { limit: 1, nowMs }))[0]).not.toHaveProperty('answer');
  });

  it('are listed newest first, whichever ended together, and until they expire', async () => {
    const { nowMs, endpointId, attempts } = someAttempts([0, 500, 1_000, 1_500, 2_000, 2_500]);
    const [a, b, c, d, e, f] = attempts as [Attempt, Attempt, Attempt, Attempt, Attempt, Attempt];

    await recordAttempts(stores, endpointId, [a, f]);
    await recordAttempts(stores, endpointId, [c]);
    await recordAttempts(stores, endpointId, [e, b, d]);

    const list = (limit: number, atMs = nowMs) => listAttempts(stores, endpointId, { limit, nowMs: atMs });
    expect(await list(10)).toEqual([f, e, d, c, b, a]);
    expect(await list(2)).toEqual([f, e]);
    expect(await list(3)).toEqual([f, e, d]);
    expect(await list(10, nowMs + 31 * 86_400_000)).toEqual([]);
  });

  it('cost one write unit for a batch that was taken at once', async () => {
    const { endpointId, attempts } = someAttempts([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], { durationMs: 1_234 });
    const units: unknown[] = [];
    const send = async (command: PutCommand) => {
      command.input.ReturnConsumedCapacity = 'TOTAL';
      units.push((await stores.table.send(command)).ConsumedCapacity?.CapacityUnits);
    };
    const table = Object.assign(Object.create(stores.table) as typeof stores.table, { send });

    await recordAttempts({ ...stores, table }, endpointId, attempts);

    expect(units).toEqual([1]);
  });
});
