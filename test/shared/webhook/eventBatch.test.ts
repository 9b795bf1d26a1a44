import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeId, type CorrelationId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { Secret } from '../../../shared/kernel/secret.ts';
import { CARRIED_EVENT_BYTES, toDeliveries, webhookIdOf } from '../../../shared/webhook/delivery.ts';
import type { Endpoint } from '../../../shared/webhook/endpoint.ts';
import { CLOSED } from '../../../shared/webhook/endpointBreaker.ts';
import { batchIdOf, cutIntoBatches, firstEventIn } from '../../../shared/webhook/eventBatch.ts';
import { toAsciiJson } from '../../../shared/platform/asciiJson.ts';
import { eventIdOf } from '../event/loggedEvents.ts';

const anEndpoint = (overrides: Partial<Endpoint> = {}): Endpoint => ({
  tenantId: makeId('tnt', 0, systemRandom),
  endpointId: makeId('end', 0, systemRandom),
  url: 'https://hooks.example/',
  events: undefined,
  batch: { maxEvents: 3 },
  state: 'active',
  secret: new Secret('whsec_AAAA'),
  breaker: CLOSED,
  createdAtMs: 0,
  ...overrides,
});
const anEvent = (sequence: number, type: 'message.status' | 'message.received' = 'message.status', filling = '') => ({
  eventId: eventIdOf(sequence),
  type,
  correlationId: 'cor-of-request' as CorrelationId,
  text: JSON.stringify({ id: eventIdOf(sequence), connectionId: 'con_1', type, filling }),
});

describe('batches', () => {
  it('hold the events that are wanted, in their order, as many as the endpoint says', () => {
    const events = [1, 2, 3, 4, 5].map((sequence) =>
      anEvent(sequence, sequence === 2 ? 'message.received' : 'message.status'),
    );

    const deliveries = toDeliveries([anEndpoint({ events: ['message.status'] })], events);

    expect(deliveries.map(({ eventIds }) => eventIds)).toEqual([
      [1, 3, 4].map((one) => eventIdOf(one)),
      [eventIdOf(5)],
    ]);
    const [first] = deliveries;
    expect(JSON.parse(first?.event ?? '')).toMatchObject({ events: [1, 3, 4].map((one) => ({ id: eventIdOf(one) })) });
    expect(first).toMatchObject({ eventId: eventIdOf(1), deliveryId: expect.stringMatching(/^dlv_\w+_[0-9A-F]{26}$/) });
  });

  it('are for the endpoints that ask for them; the others get each event alone', () => {
    const [together, alone] = [anEndpoint(), anEndpoint({ batch: undefined })];

    const deliveries = toDeliveries([together, alone], [anEvent(1), anEvent(2)]);

    const of = ({ endpointId }: Endpoint) => deliveries.filter((one) => one.endpointId === endpointId);
    expect(of(together).map(({ eventIds }) => eventIds)).toEqual([[eventIdOf(1), eventIdOf(2)]]);
    expect(of(alone).map(({ eventId, eventIds }) => [eventId, eventIds])).toEqual([
      [eventIdOf(1), undefined],
      [eventIdOf(2), undefined],
    ]);
  });

  it('are called by their events, and an event alone by itself', () => {
    const eventIds = [eventIdOf(1), eventIdOf(2)];

    expect(webhookIdOf({ eventId: eventIdOf(1), eventIds })).toBe(batchIdOf(eventIds));
    expect(batchIdOf(eventIds)).not.toBe(batchIdOf([eventIdOf(1)]));
    expect(webhookIdOf({ eventId: eventIdOf(1) })).toBe(eventIdOf(1));
  });

  it('have an event first that is found in them, and in one that stands alone', () => {
    expect(firstEventIn('{"events":[{"id":"a"},{"id":"b"}]}')).toEqual({ id: 'a' });
    expect(firstEventIn('{"id":"a"}')).toEqual({ id: 'a' });
  });

  it('always hold every event once, in order, and no more than they may', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ maxLength: 300, unit: 'binary' }), { maxLength: 60 }),
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 50, max: 2_000 }),
        (texts, events, bytes) => {
          const given = texts.map((text) => ({ text }));

          const batches = cutIntoBatches(given, { events, bytes });

          expect(batches.flat()).toEqual(given);
          for (const batch of batches) {
            expect(batch.length).toBeLessThanOrEqual(events);
            const size = batch.reduce((sum, { text }) => sum + toAsciiJson(text).length - 1, 0);
            expect(batch.length === 1 || size <= bytes).toBe(true);
          }
        },
      ),
    );
  });

  it('never make a message that carries more than an event alone may, and leave out what is longer', () => {
    const filling = '😀'.repeat(1_500);
    const endpoint = anEndpoint({ batch: { maxEvents: 100 } });
    const long = anEvent(99, 'message.status', '😀'.repeat(10_000));

    const deliveries = toDeliveries(
      [endpoint],
      [...[1, 2, 3, 4, 5, 6].map((one) => anEvent(one, 'message.status', filling)), long],
    );

    expect(deliveries.length).toBeGreaterThan(2);
    for (const { event } of deliveries) {
      expect(event === undefined ? 0 : toAsciiJson(event).length - 2).toBeLessThanOrEqual(CARRIED_EVENT_BYTES);
    }
    expect(deliveries.at(-1)).toMatchObject({ eventIds: [eventIdOf(99)] });
    expect(deliveries.at(-1)?.event).toBeUndefined();
  });
});
