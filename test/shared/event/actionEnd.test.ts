import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Action } from '../../../shared/action/action.ts';
import { eventSchema } from '../../../shared/event/event.ts';
import { readEvents } from '../../../shared/event/readEvents.ts';
import type { Fact } from '../../../shared/event/facts/factRows.ts';
import { recordFacts } from './recordFacts.ts';
import { makeId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { aBatch, newIds, startEventStores, type EventStores } from './eventStores.ts';

describe('the end of an action, recorded', () => {
  let stores: EventStores;
  beforeAll(async () => {
    stores = await startEventStores();
  });
  afterAll(() => stores.stop());

  const anAction = (ids: ReturnType<typeof newIds>): Promise<Action> =>
    stores.actions.create({
      ...ids,
      actionId: makeId('act', 1_000, systemRandom),
      kind: 'chat_typing',
      account: '4915100000001@s.whatsapp.net',
      request: { chat: '+4915123456789', state: 'composing' },
      state: 'accepted',
      correlationId: 'cor-of-request' as Action['correlationId'],
      createdAtMs: 1_000,
      expiresAtMs: 9_000,
      attempts: 0,
    });
  const endOf = ({ actionId }: Action): Fact => ({
    kind: 'action_end',
    key: `action:${actionId}`,
    atMs: 5_000,
    actionId,
  });

  it('becomes one event with the result on the row, however often it is told', async () => {
    const ids = newIds();
    const action = await anAction(ids);
    const result = { chat: { id: '1@lid' }, state: 'composing', presence: 'available' };
    await stores.actions.end({ ...ids, token: 1 }, action.actionId, { state: 'succeeded', atMs: 4_000, result });

    for (const batch of ['batch-1', 'batch-1', 'batch-2']) {
      await recordFacts(stores, aBatch(ids, [endOf(action)], batch));
    }

    const { events } = await readEvents(stores, ids.tenantId, undefined, 10);
    expect(events).toHaveLength(1);
    expect(eventSchema.parse(events[0])).toMatchObject({
      type: 'action.succeeded',
      correlationId: 'cor-of-request',
      occurredAt: new Date(4_000).toISOString(),
      data: { actionId: action.actionId, kind: 'chat_typing', result },
    });
  });

  it.each([
    ['failed', { code: 'limited', whatsappCode: 429 }],
    ['expired', { code: 'expired' }],
  ] as const)('says why it %s', async (state, error) => {
    const ids = newIds();
    const action = await anAction(ids);
    await stores.actions.end({ ...ids, token: 1 }, action.actionId, { state, atMs: 4_000, error });

    await recordFacts(stores, aBatch(ids, [endOf(action)]));

    const { events } = await readEvents(stores, ids.tenantId, undefined, 10);
    const event = eventSchema.parse(events[0]);
    expect(event).toMatchObject({ type: 'action.failed', data: { state, error } });
    expect(event.type === 'action.failed' ? event.data.error.sentence.length : 0).toBeGreaterThan(20);
  });

  it('leaves no trace while the row does not say so, and for a row that is gone', async () => {
    const ids = newIds();
    const action = await anAction(ids);
    const gone = { ...action, actionId: makeId('act', 1_000, systemRandom) };

    await recordFacts(stores, aBatch(ids, [endOf(action), endOf(gone)]));
    const before = await readEvents(stores, ids.tenantId, undefined, 10);
    await stores.actions.end({ ...ids, token: 1 }, action.actionId, {
      state: 'expired',
      atMs: 4_000,
      error: { code: 'expired' },
    });
    await recordFacts(stores, aBatch(ids, [endOf(action)], 'batch-later'));

    expect(before.events).toEqual([]);
    expect((await readEvents(stores, ids.tenantId, undefined, 10)).events).toHaveLength(1);
  });
});
