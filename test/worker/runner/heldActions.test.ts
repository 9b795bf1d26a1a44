import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Action } from '../../../shared/action/action.ts';
import type { ConnectionRunners } from '../../../worker/runner/connectionRunners.ts';
import { startCore, type Core } from '../sending/fakes.ts';
import { makeOwner } from './owners.ts';
import { anAccount } from './scripts.ts';
import { eventually } from '../../eventually.ts';

describe('the actions of an owned shard', () => {
  let core: Core;
  let shard = 300;
  const owners: ConnectionRunners[] = [];
  beforeAll(async () => {
    core = await startCore();
  });
  afterEach(async () => {
    await Promise.all(owners.splice(0).map((owner) => owner.lose()));
  });
  afterAll(async () => core.stop());

  const anOwner = (token: number) => {
    const made = makeOwner(core, { shard, token });
    owners.push(made.owner);
    return made;
  };
  const shown = async ({ connectionId, actionId }: Action): Promise<string | undefined> => {
    const now = await core.actions.find(connectionId, actionId);
    return now?.error === undefined ? now?.state : `${now.state}/${now.error.code}`;
  };

  it('are found at the claim, also on a connection that is off and that no command names', async () => {
    shard += 1;
    const connection = await core.aConnection({ shard, wanted: 'off', status: 'off', statusCode: 'stopped' });
    const action = await core.anAction(connection, { expiresAtMs: Date.now() - 1 });
    await core.openActions.add(shard, action, Date.now());

    const { owner, sources } = anOwner(2);
    owner.start();

    await eventually(async () => expect(await shown(action)).toBe('expired/expired'));
    await eventually(async () => expect(await core.openActions.connectionsOf(shard)).toEqual([]));
    expect(sources.get(connection.connectionId)?.opened ?? []).toEqual([]);
  });

  it('fail when their connection is deleted, before its record goes', async () => {
    shard += 1;
    const connection = await core.aConnection({ shard });
    const { owner, sourceOf } = anOwner(1);
    owner.start();
    const source = await sourceOf(connection);
    const held = owner.hold(connection.tenantId, connection.connectionId);
    const action = await core.anAction(connection);
    await held.actions.handle(action.actionId);
    source.last.say({ type: 'socket_opened', generation: 1, account: anAccount });

    await core.connections.setWanted(connection.tenantId, connection.connectionId, 'deleted');
    const result = await held.reconcile('unlink');

    expect(result).toBe('done');
    expect(await shown(action)).toBe('failed/connection_deleted');
    expect(await core.openActions.connectionsOf(shard)).toEqual([]);
    expect(await core.connections.find(connection.tenantId, connection.connectionId)).toBeUndefined();
  });

  it('fail when their connection is logged out', async () => {
    shard += 1;
    const connection = await core.aConnection({ shard });
    const { owner, sourceOf } = anOwner(1);
    owner.start();
    const source = await sourceOf(connection);
    const held = owner.hold(connection.tenantId, connection.connectionId);
    const action = await core.anAction(connection);
    await held.actions.handle(action.actionId);
    source.last.say({ type: 'socket_opened', generation: 1, account: anAccount });

    await core.connections.setLogout(connection.tenantId, connection.connectionId, { requestId: 'one' });
    await held.reconcile('unlink');

    await eventually(async () => expect(await shown(action)).toBe('failed/connection_not_paired'));
  });

  it('go back to the queue when they come after the shard was given away', async () => {
    shard += 1;
    const connection = await core.aConnection({ shard });
    const { owner, sourceOf } = anOwner(1);
    owner.start();
    await sourceOf(connection);
    const held = owner.hold(connection.tenantId, connection.connectionId);
    const action = await core.anAction(connection);

    await owner.drain();
    const late = await held.actions.handle(action.actionId);

    expect(late).toBe('later');
    expect(await shown(action)).toBe('accepted');
  });
});
