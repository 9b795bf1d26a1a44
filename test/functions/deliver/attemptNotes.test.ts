import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AttemptNotes } from '../../../functions/deliver/attemptNotes.ts';
import { systemClock, type StopSignal } from '../../../shared/kernel/clock.ts';
import { makeDeliveryId, makeId, type EventId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { silentLogger } from '../../../shared/platform/logger.ts';
import type { Attempt } from '../../../shared/webhook/attempt.ts';
import { listAttempts } from '../../../shared/webhook/attemptItems.ts';
import { startEventStores, type EventStores } from '../../shared/event/eventStores.ts';

const newEndpoint = () => makeId('end', 0, systemRandom);
const anAttempt = (endpointId: ReturnType<typeof newEndpoint>, number: number): Attempt => {
  const eventId = `evt_${String(number).padStart(15, '0')}` as EventId;
  return {
    endpointId,
    deliveryId: makeDeliveryId(endpointId, eventId),
    eventId,
    number: 1,
    atMs: 1_000 + number,
    result: 'delivered',
    httpStatus: 200,
    reason: undefined,
    durationMs: 5,
  };
};

describe('the notes of attempts', () => {
  let stores: EventStores;
  beforeAll(async () => {
    stores = await startEventStores();
  });
  afterAll(() => stores.stop());

  /** Notes on a store whose writes are counted, and that wait until the test lets them go on. */
  const someNotes = (isFrozen: boolean) => {
    let writes = 0;
    let letGo: () => void = () => undefined;
    const gathered = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const table = Object.assign(Object.create(stores.table) as typeof stores.table, {
      send: (command: Parameters<typeof stores.table.send>[0]) => {
        writes += 1;
        return stores.table.send(command);
      },
    });
    const sleep = (_durationMs: number, signal?: StopSignal): Promise<void> =>
      Promise.race([
        gathered,
        new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true })),
      ]);
    const clock = { ...systemClock, sleep };
    const notes = new AttemptNotes({ table, stage: stores.stage, clock, logger: silentLogger }, isFrozen);
    return { notes, letGo, writes: () => writes };
  };
  const keptOf = async (endpointId: ReturnType<typeof newEndpoint>) =>
    (await listAttempts(stores, endpointId, { limit: 100, nowMs: 0 })).map(({ atMs }) => atMs);

  it('are written before an invocation ends where the process is frozen after it', async () => {
    const endpointId = newEndpoint();
    const { notes } = someNotes(true);

    await notes.note(endpointId, [anAttempt(endpointId, 1)]);

    expect(await keptOf(endpointId)).toEqual([1_001]);
  });

  it('of several invocations are written together, for each endpoint, where the process runs on', async () => {
    const [one, other] = [newEndpoint(), newEndpoint()];
    const { notes, letGo, writes } = someNotes(false);

    await notes.note(one, [anAttempt(one, 1), anAttempt(one, 2)]);
    await notes.note(other, [anAttempt(other, 3)]);
    await notes.note(one, [anAttempt(one, 4)]);
    expect(writes()).toBe(0);
    letGo();

    await expect.poll(writes).toBe(2);
    await expect.poll(() => keptOf(one)).toEqual([1_004, 1_002, 1_001]);
    await expect.poll(() => keptOf(other)).toEqual([1_003]);
  });

  it('that wait are written when the process ends, and what comes later at once', async () => {
    const endpointId = newEndpoint();
    const { notes } = someNotes(false);
    await notes.note(endpointId, [anAttempt(endpointId, 1)]);

    await notes.end();
    expect(await keptOf(endpointId)).toEqual([1_001]);

    await notes.note(endpointId, [anAttempt(endpointId, 2)]);
    expect(await keptOf(endpointId)).toEqual([1_002, 1_001]);
  });

  it('wait no longer when there are fifty of one endpoint', async () => {
    const endpointId = newEndpoint();
    const { notes, letGo, writes } = someNotes(false);

    for (let number = 0; number < 60; number += 1) await notes.note(endpointId, [anAttempt(endpointId, number)]);
    expect(await keptOf(endpointId)).toHaveLength(50);
    letGo();
    await notes.end();

    expect(await keptOf(endpointId)).toHaveLength(60);
    expect(writes()).toBe(2);
  });
});
