import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Connection } from '../../../shared/connection/connection.ts';
import type { ConnectionRunners } from '../../../worker/runner/connectionRunners.ts';
import { sequence, startCore, type Core } from '../sending/fakes.ts';
import type { FakeSource } from './fakes.ts';
import { makeOwner } from './owners.ts';
import { anAccount } from './scripts.ts';
import { eventually } from '../../eventually.ts';

const unpaired = { account: undefined, status: 'unpaired', statusCode: 'never_paired' } as const;

describe('the connections of an owned shard', () => {
  let core: Core;
  let shard = 100;
  const owners: ConnectionRunners[] = [];
  beforeAll(async () => {
    core = await startCore();
  });
  afterEach(async () => {
    await Promise.all(owners.splice(0).map((owner) => owner.lose()));
  });
  afterAll(async () => core.stop());

  const anOwner = (token = 1, prepare: (source: FakeSource) => void = () => undefined) => {
    const made = makeOwner(core, { shard, token, prepare });
    owners.push(made.owner);
    return made;
  };
  const aConnection = async (overrides: Partial<Connection> = {}): Promise<Connection> =>
    core.aConnection({ shard, ...overrides });
  const rowOf = async ({ tenantId, connectionId }: Connection): Promise<Connection | undefined> =>
    core.connections.find(tenantId, connectionId);

  it('starts every linked connection at the claim, and leaves unpaired ones waiting', async () => {
    shard += 1;
    const linked = await aConnection();
    const waiting = await aConnection(unpaired);
    const { owner, sources, sourceOf } = anOwner();

    owner.start();

    const source = await sourceOf(linked);
    expect(source.last.pairing).toBe(false);
    expect(sources.get(waiting.connectionId)?.opened ?? []).toEqual([]);
  });

  it('logs in where an earlier owner died between the pairing and its record', async () => {
    shard += 1;
    const connection = await aConnection({ account: undefined, status: 'connecting', statusCode: 'opening' });
    const { owner, sourceOf } = anOwner(1, (source) => {
      source.linked = true;
    });

    owner.start();

    const source = await sourceOf(connection);
    source.last.say({ type: 'socket_opened', generation: 1, account: anAccount });
    await eventually(async () => expect((await rowOf(connection))?.account?.phoneJid).toBe(anAccount.phoneJid));
  });

  it('pairs on command, also for a connection that it has not listed yet', async () => {
    shard += 1;
    const { owner, sourceOf } = anOwner();
    const pairing = { requestId: 'first', requestedAtMs: Date.now(), method: 'qr' } as const;
    const connection = await aConnection({ ...unpaired, pairing });

    const result = await owner.hold(connection.tenantId, connection.connectionId).reconcile('pair');

    expect(result).toBe('done');
    expect((await sourceOf(connection)).last.pairing).toBe(true);
  });

  it('makes up for a lost command with the listing', async () => {
    shard += 1;
    const connection = await aConnection(unpaired);
    const { owner, sourceOf } = anOwner();
    owner.start();
    await eventually(() =>
      expect(owner.hold(connection.tenantId, connection.connectionId).view().runner).toBe('running'),
    );

    await core.connections.setPairing(connection.tenantId, connection.connectionId, {
      requestId: 'first',
      requestedAtMs: Date.now(),
      method: 'qr',
    });

    expect((await sourceOf(connection)).last.pairing).toBe(true);
  });

  it('switches off and on again', async () => {
    shard += 1;
    const connection = await aConnection();
    const { owner, sourceOf } = anOwner();
    owner.start();
    const source = await sourceOf(connection);
    const held = owner.hold(connection.tenantId, connection.connectionId);

    await core.connections.setWanted(connection.tenantId, connection.connectionId, 'off');
    await held.reconcile('stop');
    await eventually(async () => expect((await rowOf(connection))?.status).toBe('off'));
    const closedAs = [...source.last.closedAs];
    await core.connections.setWanted(connection.tenantId, connection.connectionId, 'online');
    await held.reconcile('start');

    expect(closedAs).toEqual(['end']);
    await eventually(() => expect(source.opened.length).toBe(2));
    expect(source.mostOpen).toBe(1);
  });

  it('unlinks, fails what is parked and removes the record of a deleted connection', async () => {
    shard += 1;
    const connection = await aConnection();
    const { owner, sourceOf, publishers } = anOwner();
    owner.start();
    const source = await sourceOf(connection);
    const held = owner.hold(connection.tenantId, connection.connectionId);
    const message = await core.aMessage(connection, 'parked');
    await held.outbox.handle(message.messageId, sequence(1), Date.now());
    source.last.say({ type: 'socket_opened', generation: 1, account: anAccount });
    await eventually(async () => expect((await rowOf(connection))?.status).toBe('online'));

    await core.connections.setWanted(connection.tenantId, connection.connectionId, 'deleted');
    const result = await held.reconcile('unlink');

    expect(result).toBe('done');
    expect(source.last.closedAs).toEqual(['logout']);
    expect(source.retired).toBeGreaterThan(0);
    expect(publishers.get(connection.connectionId)?.results()).toEqual(['failed/connection_deleted']);
    expect(await rowOf(connection)).toBeUndefined();
    expect(await core.connections.occupancy(shard)).toBe(0);
  });

  it('tells that a connection is deleted before its record goes, and keeps that until the queue has it', async () => {
    shard += 1;
    const connection = await aConnection();
    const { owner, sources, deletions } = anOwner();
    deletions.isDown = true;
    await core.connections.setWanted(connection.tenantId, connection.connectionId, 'deleted');
    owner.start();
    await eventually(() => expect(sources.get(connection.connectionId)?.retired ?? 0).toBeGreaterThan(1));

    const before = [(await rowOf(connection))?.wanted, [...deletions.told]];
    deletions.isDown = false;
    await eventually(async () => expect(await rowOf(connection)).toBeUndefined());

    expect(before).toEqual(['deleted', []]);
    expect(deletions.told).toEqual([connection.connectionId]);
    expect(sources.get(connection.connectionId)?.removed).toBe(0);
  });

  it('unlinks a connection that was being switched off when it was deleted', async () => {
    shard += 1;
    const connection = await aConnection();
    const { tenantId, connectionId } = connection;
    const { owner, sourceOf } = anOwner();
    owner.start();
    const source = await sourceOf(connection);
    const held = owner.hold(tenantId, connectionId);
    source.last.say({ type: 'socket_opened', generation: 1, account: anAccount });
    await eventually(async () => expect((await rowOf(connection))?.status).toBe('online'));
    const closing = Promise.withResolvers<void>();
    source.closing = closing.promise;
    await core.connections.setWanted(tenantId, connectionId, 'off');
    await held.reconcile('stop');
    await core.connections.setWanted(tenantId, connectionId, 'deleted');

    const result = held.reconcile('unlink');
    closing.resolve();

    expect([await result, source.loggedOut]).toEqual(['done', ['done']]);
    expect(await rowOf(connection)).toBeUndefined();
  });

  it('removes the session of a connection whose tenant is deleted, before its record goes', async () => {
    shard += 1;
    const connection = await aConnection();
    const { owner, sources, deletions } = anOwner();
    deletions.areForGood = true;
    await core.connections.setWanted(connection.tenantId, connection.connectionId, 'deleted');
    owner.start();

    await eventually(async () => expect(await rowOf(connection)).toBeUndefined());

    expect(sources.get(connection.connectionId)?.removed).toBe(1);
  });

  it('logs out on request: the device goes, what is parked fails, the record stays and can be paired again', async () => {
    shard += 1;
    const connection = await aConnection();
    const { tenantId, connectionId } = connection;
    const { owner, sourceOf, publishers } = anOwner();
    owner.start();
    const source = await sourceOf(connection);
    const held = owner.hold(tenantId, connectionId);
    const message = await core.aMessage(connection, 'parked');
    await held.outbox.handle(message.messageId, sequence(1), Date.now());
    source.last.say({ type: 'socket_opened', generation: 1, account: anAccount });
    await eventually(async () => expect((await rowOf(connection))?.status).toBe('online'));

    await core.connections.setLogout(tenantId, connectionId, { requestId: 'one' });
    const results = [await held.reconcile('unlink'), await held.reconcile('unlink')];

    const row = await rowOf(connection);
    expect(results).toEqual(['done', 'done']);
    expect(source.last.closedAs).toEqual(['logout']);
    expect(source.retired).toBeGreaterThan(0);
    expect(publishers.get(connectionId)?.results()).toEqual(['failed/connection_not_paired']);
    expect(row).toMatchObject({ wanted: 'online', status: 'unpaired', statusCode: 'unlinked' });
    expect([row?.account, row?.logout]).toEqual([undefined, undefined]);
    const pairing = { requestId: 'two', requestedAtMs: Date.now(), method: 'qr' } as const;
    expect(await core.connections.setPairing(tenantId, connectionId, pairing)).toBe('set');
    await held.reconcile('pair');
    await eventually(() => expect(source.opened.map((opened) => opened.pairing)).toEqual([false, true]));
  });

  it('makes up for a log-out whose command was lost, also under the next owner', async () => {
    shard += 1;
    const connection = await aConnection();
    await core.connections.setLogout(connection.tenantId, connection.connectionId, { requestId: 'one' });
    const { owner } = anOwner();

    owner.start();

    await eventually(async () => expect((await rowOf(connection))?.statusCode).toBe('unlinked'));
    await eventually(async () => expect((await rowOf(connection))?.logout).toBeUndefined());
  });

  it('takes up changed settings with the next look at the record', async () => {
    shard += 1;
    const connection = await aConnection({ settings: { presence: 'available' } });
    const { owner, sourceOf, settingsOf } = anOwner();
    owner.start();
    await sourceOf(connection);
    const settings = settingsOf.get(connection.connectionId);
    const before = settings?.();

    const read = await rowOf(connection);
    await core.connections.setChangeable(read ?? connection, { label: undefined, settings: {} });
    await owner.hold(connection.tenantId, connection.connectionId).reconcile('refresh');

    expect([before, settings?.()]).toEqual([{ presence: 'available' }, {}]);
  });

  it('takes up changed settings although the command was lost, and reads no record that has not changed', async () => {
    shard += 1;
    const connection = await aConnection({ settings: { presence: 'available' } });
    const other = await aConnection();
    const { owner, sourceOf, settingsOf, reads } = anOwner();
    owner.start();
    await Promise.all([sourceOf(connection), sourceOf(other)]);
    const read = await rowOf(connection);

    await core.connections.setChangeable(read ?? connection, { label: undefined, settings: { calls: 'reject' } });

    await eventually(() => expect(settingsOf.get(connection.connectionId)?.()).toEqual({ calls: 'reject' }));
    const listedBefore = reads.listings;
    await eventually(() => expect(reads.listings).toBeGreaterThan(listedBefore + 2));
    expect(reads.records.filter((id) => id === other.connectionId)).toHaveLength(1);
    expect(reads.records.filter((id) => id === connection.connectionId).length).toBeLessThanOrEqual(3);
  });

  it('removes what an earlier owner left deleted', async () => {
    shard += 1;
    const connection = await aConnection();
    await core.connections.setWanted(connection.tenantId, connection.connectionId, 'deleted');
    const { owner } = anOwner();

    owner.start();

    await eventually(async () => expect(await rowOf(connection)).toBeUndefined());
  });

  it('shows the vitals of all, asks for signs of life, and has a socket replaced once', async () => {
    shard += 1;
    const connection = await aConnection();
    const waiting = await aConnection(unpaired);
    const { owner, sourceOf } = anOwner();
    owner.start();
    const source = await sourceOf(connection);
    owner.hold(waiting.tenantId, waiting.connectionId);
    source.last.say({ type: 'socket_opened', generation: 1, account: anAccount });
    const held = owner.hold(connection.tenantId, connection.connectionId);
    await eventually(() => expect([owner.online, held.vitals().runnerBusyMs]).toEqual([1, undefined]));

    const vitals = new Map(owner.vitals().map((each) => [each.connectionId, each]));
    held.probe();
    const asked = [held.recycle('deaf', 50_000), held.recycle('deaf', 50_000)];
    await eventually(() => expect(source.last.closedAs).toEqual(['end']));

    expect(vitals.get(connection.connectionId)).toEqual({
      tenantId: connection.tenantId,
      connectionId: connection.connectionId,
      shard,
      runnerBusyMs: undefined,
      evidence: source.last.shows,
    });
    expect(vitals.get(waiting.connectionId)).toMatchObject({ runnerBusyMs: undefined, evidence: undefined });
    expect(source.opened[0]?.probes()).toBe(1);
    expect(asked).toEqual([true, false]);
    expect(held.vitals().evidence).toBeUndefined();
  });

  it('drains: closes without logging out, gives commands back, and begins nothing more', async () => {
    shard += 1;
    const connection = await aConnection();
    const { owner, sourceOf } = anOwner();
    owner.start();
    const source = await sourceOf(connection);
    source.last.say({ type: 'socket_opened', generation: 1, account: anAccount });
    await eventually(async () => expect((await rowOf(connection))?.status).toBe('online'));
    const held = owner.hold(connection.tenantId, connection.connectionId);
    const message = await core.aMessage(connection, 'late');

    await owner.drain();

    expect(source.last.closedAs).toEqual(['end']);
    expect((await rowOf(connection))?.status).toBe('handing_off');
    expect(await held.outbox.handle(message.messageId, sequence(1), Date.now())).toBe('later');
    const other = await aConnection();
    expect(await owner.hold(other.tenantId, other.connectionId).reconcile('start')).toBe('later');
  });

  it('lets go of everything and writes nothing when it loses the shard', async () => {
    shard += 1;
    const connection = await aConnection();
    const { owner, sourceOf } = anOwner();
    owner.start();
    const source = await sourceOf(connection);
    source.last.say({ type: 'socket_opened', generation: 1, account: anAccount });
    await eventually(async () => expect((await rowOf(connection))?.status).toBe('online'));

    await owner.lose();

    expect(source.last.closedAs).toEqual(['end']);
    expect((await rowOf(connection))?.status).toBe('online');
  });

  it('is refused by the record once a newer owner has written', async () => {
    shard += 1;
    const connection = await aConnection();
    const { owner, sourceOf } = anOwner(1);
    owner.start();
    const source = await sourceOf(connection);
    await core.connections.recordStatus(
      { ...connection, token: 2 },
      { status: 'online', code: 'open', sinceMs: 5, transitions: 1, nextAttemptAtMs: undefined },
    );

    source.last.say({ type: 'socket_opened', generation: 1, account: anAccount });

    await eventually(() => expect(source.last.closedAs).toEqual(['end']));
    expect((await rowOf(connection))?.statusSinceMs).toBe(5);
  });
});
