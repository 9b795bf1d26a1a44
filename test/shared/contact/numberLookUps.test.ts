import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NumberLookUps, type NumberLookUp } from '../../../shared/contact/numberLookUps.ts';
import { newIds, startEventStores, type EventStores } from '../event/eventStores.ts';

const DAY_MS = 86_400_000;

describe('what WhatsApp has answered about phone numbers', () => {
  let stores: EventStores;
  beforeAll(async () => {
    stores = await startEventStores();
  });
  afterAll(() => stores.stop());

  it('is believed for 30 days where there is an account, and for one where there is none', async () => {
    const { connectionId } = newIds();
    const lookUps = new NumberLookUps(stores);
    const known = { exists: true, address: '4915100000002@s.whatsapp.net', lid: '222@lid' };
    const answers = new Map<string, NumberLookUp>([
      ['4915100000002', known],
      ['4915199999999', { exists: false }],
    ]);
    await lookUps.keep(connectionId, answers);
    const find = async () => [...(await lookUps.find(connectionId, ['4915100000002', '4915199999999', '1'])).keys()];

    const atOnce = await find();
    stores.clock.advance(DAY_MS + 1_000);
    const afterADay = await find();
    stores.clock.advance(29 * DAY_MS);
    const afterAMonth = await find();

    expect(atOnce.toSorted((one, other) => one.localeCompare(other))).toEqual(['4915100000002', '4915199999999']);
    expect(afterADay).toEqual(['4915100000002']);
    expect(afterAMonth).toEqual([]);
  });

  it('is found for a thousand numbers, and is another connection’s no more than its own', async () => {
    const [ours, others] = [newIds().connectionId, newIds().connectionId];
    const lookUps = new NumberLookUps(stores);
    const numbers = Array.from({ length: 1_000 }, (_, index) => `49151${String(index).padStart(8, '0')}`);
    await lookUps.keep(ours, new Map(numbers.map((digits) => [digits, { exists: false }])));

    expect((await lookUps.find(ours, numbers)).size).toBe(1_000);
    expect((await lookUps.find(others, numbers)).size).toBe(0);
  });
});
