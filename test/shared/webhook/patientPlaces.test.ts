import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PATIENT_BATCHES, PatientPlaces, PLACE_HELD_MS } from '../../../shared/webhook/patientPlaces.ts';
import { startEventStores, type EventStores } from '../event/eventStores.ts';

describe('the places of batches that wait for a receiver', () => {
  let stores: EventStores;
  beforeAll(async () => {
    stores = await startEventStores();
  });
  afterAll(() => stores.stop());
  const places = () => new PatientPlaces(stores);

  it('are as many as they are, whoever asks at once, and free when they are given back', async () => {
    const asked = await Promise.all(Array.from({ length: 8 }, () => places().take()));
    const taken = asked.filter((place) => place !== undefined);
    const full = await places().take();
    const [first] = taken;
    if (first === undefined) throw new Error('no place was free');
    await places().giveBack(first);
    const again = await places().take();

    expect(taken).toHaveLength(PATIENT_BATCHES);
    expect(new Set(taken.map(({ number }) => number)).size).toBe(PATIENT_BATCHES);
    expect(full).toBeUndefined();
    expect(again?.number).toBe(first.number);
    stores.clock.advance(PLACE_HELD_MS);
  });

  it('are free when their time is over, and a holder of before gives back nothing then', async () => {
    const [dead] = [await places().take(), await places().take()];
    stores.clock.advance(PLACE_HELD_MS);
    const living = [await places().take(), await places().take()];
    if (dead === undefined) throw new Error('no place was free');
    await places().giveBack(dead);

    expect(living).not.toContain(undefined);
    expect(await places().take()).toBeUndefined();
  });
});
