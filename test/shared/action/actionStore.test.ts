import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ACTION_RESULT_BYTES, type Action } from '../../../shared/action/action.ts';
import { ActionStore } from '../../../shared/action/actionStore.ts';
import { OpenActions } from '../../../shared/action/openActions.ts';
import { makeId, type ConnectionId, type TenantId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { newIds, startEventStores, type EventStores } from '../event/eventStores.ts';

describe('the store of actions', () => {
  let stores: EventStores;
  let actions: ActionStore;
  let open: OpenActions;
  beforeAll(async () => {
    stores = await startEventStores();
    actions = new ActionStore(stores);
    open = new OpenActions(stores);
  });
  afterAll(() => stores.stop());

  const anAction = (
    ids: { readonly tenantId: TenantId; readonly connectionId: ConnectionId },
    overrides: Partial<Action> = {},
  ): Promise<Action> => {
    const createdAtMs = overrides.createdAtMs ?? Date.now();
    return actions.create({
      ...ids,
      actionId: makeId('act', createdAtMs, systemRandom),
      kind: 'chat_typing',
      account: '4915100000001@s.whatsapp.net',
      request: { chat: '+4915123456789', state: 'composing' },
      state: 'accepted',
      correlationId: 'cor-test-1' as Action['correlationId'],
      createdAtMs,
      expiresAtMs: createdAtMs + 60_000,
      attempts: 0,
      ...overrides,
    });
  };
  const now = ({ connectionId, actionId }: Action) => actions.find(connectionId, actionId);

  it('keeps the first of two that have one id', async () => {
    const first = await anAction(newIds());

    const second = await actions.create({ ...first, request: { other: true } });

    expect(second.request).toEqual(first.request);
    expect((await now(first))?.request).toEqual(first.request);
  });

  it('finds an action for its tenant alone', async () => {
    const action = await anAction(newIds());

    expect((await actions.findOfTenant(action.tenantId, action.actionId, Date.now()))?.actionId).toBe(action.actionId);
    expect(await actions.findOfTenant(newIds().tenantId, action.actionId, Date.now())).toBeUndefined();
  });

  it('lists newest first, in pages, each once', async () => {
    const ids = newIds();
    const made: Action[] = [];
    for (let place = 0; place < 5; place += 1)
      made.push(await anAction(ids, { createdAtMs: 1_800_000_000_000 + place }));
    await anAction(newIds());

    const first = await actions.list(ids.connectionId, { before: undefined, limit: 3, nowMs: Date.now() });
    const second = await actions.list(ids.connectionId, { before: first.next, limit: 3, nowMs: Date.now() });

    expect([...first.actions, ...second.actions].map(({ actionId }) => actionId)).toEqual(
      made.map(({ actionId }) => actionId).toReversed(),
    );
    expect(second.next).toBeUndefined();
  });

  it('is begun by one of two who try under the same epoch', async () => {
    const action = await anAction(newIds());
    const owner = { connectionId: action.connectionId, token: 3 };

    const outcomes = await Promise.all([1, 2].map((at) => actions.begin(owner, action.actionId, at, false)));

    expect(outcomes.toSorted()).toEqual(['begun', 'refused']);
    expect(await now(action)).toMatchObject({ state: 'running', token: 3, attempts: 1 });
  });

  it('is taken up by a newer owner alone, whose word counts from then on', async () => {
    const action = await anAction(newIds());
    const { connectionId, actionId } = action;
    const older = { connectionId, token: 3 };
    const newer = { connectionId, token: 4 };
    await actions.begin(older, actionId, 1, false);

    const plain = await actions.begin(newer, actionId, 2, false);
    const takenUp = await actions.begin(newer, actionId, 2, true);
    const late = await actions.end(older, actionId, { state: 'succeeded', atMs: 3, result: { from: 'older' } });
    await actions.giveBack(older, actionId, { limitedBy: 429 });
    const begunLate = await actions.begin(older, actionId, 3, true);
    const ended = await actions.end(newer, actionId, { state: 'succeeded', atMs: 4, result: { from: 'newer' } });

    expect([plain, takenUp, late, begunLate, ended]).toEqual(['refused', 'begun', 'refused', 'refused', 'recorded']);
    expect(await now(action)).toMatchObject({ state: 'succeeded', result: { from: 'newer' }, token: 4, attempts: 2 });
  });

  it('ends once', async () => {
    const action = await anAction(newIds());
    const owner = { connectionId: action.connectionId, token: 1 };
    await actions.end(owner, action.actionId, { state: 'expired', atMs: 5, error: { code: 'expired' } });

    const again = await actions.end(owner, action.actionId, { state: 'succeeded', atMs: 6, result: {} });
    const begun = await actions.begin(owner, action.actionId, 7, true);
    await actions.giveBack(owner, action.actionId, {});

    expect([again, begun]).toEqual(['refused', 'refused']);
    expect(await now(action)).toMatchObject({ state: 'expired', endedAtMs: 5, error: { code: 'expired' } });
  });

  it('goes back to wait, says what limits it, and forgets that when it is begun again', async () => {
    const action = await anAction(newIds());
    const owner = { connectionId: action.connectionId, token: 1 };
    await actions.begin(owner, action.actionId, 1, false);
    await actions.giveBack(owner, action.actionId, { limitedBy: 429 });
    const waiting = await now(action);
    await actions.begin(owner, action.actionId, 2, false);

    expect(waiting).toMatchObject({ state: 'accepted', limitedBy: 429, attempts: 1 });
    expect((await now(action))?.limitedBy).toBeUndefined();
  });

  it('does not bring back what is gone', async () => {
    const { connectionId } = newIds();
    const actionId = makeId('act', Date.now(), systemRandom);

    expect(await actions.begin({ connectionId, token: 1 }, actionId, 1, true)).toBe('refused');
    expect(await actions.end({ connectionId, token: 1 }, actionId, { state: 'succeeded', atMs: 1 })).toBe('refused');
    expect(await actions.find(connectionId, actionId)).toBeUndefined();
  });

  it('keeps how far an action has come, which may then be tried as often as at first', async () => {
    const action = await anAction(newIds());
    const owner = { connectionId: action.connectionId, token: 1 };
    await actions.begin(owner, action.actionId, 1, false);

    await actions.giveBack(owner, action.actionId, { progress: { done: 50, total: 120 } });

    expect(await now(action)).toMatchObject({ state: 'accepted', attempts: 0, progress: { done: 50, total: 120 } });
  });

  it('takes the largest result', async () => {
    const action = await anAction(newIds());
    const result = { text: 'ä'.repeat(ACTION_RESULT_BYTES / 2 - 20) };

    const recorded = await actions.end({ connectionId: action.connectionId, token: 1 }, action.actionId, {
      state: 'succeeded',
      atMs: 1,
      result,
    });

    expect(recorded).toBe('recorded');
    expect((await now(action))?.result).toEqual(result);
  });

  it('knows which are open, by connection and by shard, until each is removed', async () => {
    const [ann, bob] = [newIds(), newIds()];
    const made = [await anAction(ann), await anAction(ann), await anAction(bob)];
    for (const action of made) await open.add(17, action, Date.now());
    await open.add(17, made[0] as Action, Date.now());
    const place = { shard: 17, connectionId: ann.connectionId };

    const ofAnn = await open.ofConnection(place, 10);
    const first = await open.ofConnection(place, 1);
    const all = await open.connectionsOf(17);
    for (const { connectionId, actionId } of made.slice(0, 2)) await open.remove({ shard: 17, connectionId }, actionId);

    expect(ofAnn.map(({ actionId }) => actionId)).toEqual(
      made
        .slice(0, 2)
        .map(({ actionId }) => actionId)
        .toSorted(),
    );
    expect(first).toHaveLength(1);
    expect(new Set(all.map(({ connectionId }) => connectionId))).toEqual(new Set([ann.connectionId, bob.connectionId]));
    expect(await open.ofConnection(place, 10)).toEqual([]);
    expect((await open.connectionsOf(17)).map(({ connectionId }) => connectionId)).toEqual([bob.connectionId]);
    expect(await open.connectionsOf(18)).toEqual([]);
  });
});
