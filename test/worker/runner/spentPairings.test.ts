import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Connection } from '../../../shared/connection/connection.ts';
import type { ConnectionRunners } from '../../../worker/runner/connectionRunners.ts';
import { startCore, type Core } from '../sending/fakes.ts';
import type { FakeSource } from './fakes.ts';
import { makeOwner, type OwnerOptions } from './owners.ts';
import { anAccount } from './scripts.ts';
import { eventually } from '../../eventually.ts';

const unpaired = { account: undefined, status: 'unpaired', statusCode: 'never_paired' } as const;

describe('a pairing request', () => {
  let core: Core;
  let shard = 500;
  const owners: ConnectionRunners[] = [];
  beforeAll(async () => {
    core = await startCore();
  });
  afterEach(async () => {
    await Promise.all(owners.splice(0).map((owner) => owner.lose()));
  });
  afterAll(async () => core.stop());

  const anOwner = (options: Omit<OwnerOptions, 'shard'>) => {
    const made = makeOwner(core, { shard, ...options });
    owners.push(made.owner);
    made.owner.start();
    return made;
  };
  const anAskedConnection = async (): Promise<Connection> => {
    shard += 1;
    const pairing = { requestId: 'first', requestedAtMs: Date.now(), method: 'qr' } as const;
    return core.aConnection({ shard, ...unpaired, pairing });
  };
  const rowOf = ({ tenantId, connectionId }: Connection) => core.connections.find(tenantId, connectionId);
  const offer = { method: 'qr', qr: 'a qr', expiresAtMs: Date.now() + 60_000 } as const;
  /** The next owner, which has listed the shard three times: whatever it was to do, it has begun. */
  const aSettledHeir = async (prepare: (source: FakeSource) => void = () => undefined) => {
    const heir = anOwner({ token: 2, prepare });
    await eventually(() => expect(heir.reads.listings).toBeGreaterThan(2));
    return heir;
  };

  it('is spent once an account is linked: after the phone removed the device, no later owner offers a QR by itself', async () => {
    const connection = await anAskedConnection();
    const { sourceOf, owner } = anOwner({});
    const source = await sourceOf(connection);
    source.last.say({ type: 'pairing_offered', generation: 1, offer });
    source.last.say({ type: 'paired', generation: 1, account: anAccount });
    source.last.say({ type: 'socket_opened', generation: 1, account: anAccount });
    await eventually(async () => expect((await rowOf(connection))?.status).toBe('online'));
    source.last.say({ type: 'socket_closed', generation: 1, close: { statusCode: 401, node: 'device_removed' } });
    await eventually(async () => expect((await rowOf(connection))?.status).toBe('unpaired'));
    await owner.drain();

    const heir = await aSettledHeir();

    expect(heir.sources.get(connection.connectionId)?.opened ?? []).toEqual([]);
    expect(await rowOf(connection)).toMatchObject({ status: 'unpaired', statusCode: 'logged_out' });
  });

  it.each([
    ['not used in time', { statusCode: 408, node: undefined }, 'offer_expired'],
    ['refused', { statusCode: 401, node: undefined }, 'pairing_refused'],
    ['refused as a code', { statusCode: 400, node: 'link_code_companion_reg' }, 'code_refused'],
    ['refused with the client', { statusCode: 409, node: undefined }, 'client_refused'],
  ])('that was %s is spent, and the next owner leaves it', async (_how, close, code) => {
    const connection = await anAskedConnection();
    const { sourceOf, owner } = anOwner({});
    const source = await sourceOf(connection);
    source.last.say({ type: 'pairing_offered', generation: 1, offer });
    source.last.say({ type: 'socket_closed', generation: 1, close });
    await eventually(async () => expect((await rowOf(connection))?.statusCode).toBe(code));
    await owner.drain();

    const heir = await aSettledHeir();

    expect(heir.sources.get(connection.connectionId)?.opened ?? []).toEqual([]);
    expect((await rowOf(connection))?.statusCode).toBe(code);
  });

  it('that is cancelled by switching off is spent', async () => {
    const connection = await anAskedConnection();

    await core.connections.setWanted(connection.tenantId, connection.connectionId, 'off');

    expect((await rowOf(connection))?.pairing).toBeUndefined();
  });

  it('whose offer is out moves on with a drain: the next owner offers again', async () => {
    const connection = await anAskedConnection();
    const { sourceOf, owner } = anOwner({});
    const source = await sourceOf(connection);
    source.last.say({ type: 'pairing_offered', generation: 1, offer });
    await eventually(async () => expect((await rowOf(connection))?.status).toBe('awaiting_pairing'));
    await owner.drain();

    const heir = anOwner({ token: 2 });

    expect((await heir.sourceOf(connection)).last.pairing).toBe(true);
  });

  it('that is newer than the one that ended stays', async () => {
    const connection = await anAskedConnection();
    const second = { requestId: 'second', requestedAtMs: Date.now(), method: 'qr' } as const;
    await core.connections.setPairing(connection.tenantId, connection.connectionId, second);

    const outcome = await core.connections.spendPairing({ ...connection, token: 1 }, 'first');

    expect(outcome).toBe('missing');
    expect((await rowOf(connection))?.pairing).toEqual(second);
  });

  // The owner dies before the nth write of the record; the credentials say what was linked by then.
  it.each(Array.from({ length: 9 }, (_, writes) => ({ writes })))(
    'leads to no QR that nobody asked for when its owner dies after $writes writes',
    async ({ writes }) => {
      const connection = await anAskedConnection();
      let left = writes;
      const { connections } = core;
      const unlessDead = <Result>(write: () => Promise<Result>): Promise<Result> =>
        left-- > 0 ? write() : new Promise(() => undefined);
      const dying: OwnerOptions['connections'] = {
        find: (tenantId, connectionId) => connections.find(tenantId, connectionId),
        listOfShard: (of) => connections.listOfShard(of),
        remove: (of) => connections.remove(of),
        clearLogout: (of, requestId) => connections.clearLogout(of, requestId),
        recordStatus: (of, status) => unlessDead(() => connections.recordStatus(of, status)),
        recordAccount: (of, account) => unlessDead(() => connections.recordAccount(of, account)),
        spendPairing: (of, requestId) => unlessDead(() => connections.spendPairing(of, requestId)),
      };
      const { sourceOf, owner } = anOwner({ connections: dying });
      const source = await sourceOf(connection);
      source.last.say({ type: 'pairing_offered', generation: 1, offer });
      source.last.say({ type: 'paired', generation: 1, account: anAccount });
      source.last.say({ type: 'socket_opened', generation: 1, account: anAccount });
      // Whatever it may still write is written by then; the rest is what a dead process leaves.
      await eventually(async () => {
        const row = await rowOf(connection);
        expect(left < 0 || row?.status === 'online').toBe(true);
      });
      void owner.lose();

      const heir = anOwner({ token: 2, prepare: (source) => void (source.linked = true) });

      // The session of a linked device is logged in with, whatever the open was for.
      const next = await heir.sourceOf(connection);
      next.last.say({ type: 'socket_opened', generation: 1, account: anAccount });
      await eventually(async () => expect((await rowOf(connection))?.status).toBe('online'));
      next.last.say({
        type: 'socket_closed',
        generation: 1,
        close: { statusCode: 401, node: 'device_removed', wasLogin: true },
      });
      await eventually(async () => expect((await rowOf(connection))?.status).toBe('unpaired'));
      expect((await rowOf(connection))?.pairing).toBeUndefined();
    },
  );
});
