import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Connection } from '../../../shared/connection/connection.ts';
import { ConnectionStore } from '../../../shared/connection/connectionStore.ts';
import { deletePairingOffer, findPairingOffer, putPairingOffer } from '../../../shared/connection/pairingOffer.ts';
import { chooseCandidates, createConnection } from '../../../shared/connection/placement.ts';
import { isUnpairedTooLong, UNPAIRED_KEPT_MS, UnpairedPlaces } from '../../../shared/connection/unpairedPlaces.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { makeId, type ConnectionId, type TenantId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { makeDocumentClient } from '../../../shared/platform/aws.ts';
import { usualQuotas, type Quotas } from '../../../shared/platform/quotaRows.ts';
import { createTables, startDynamoDb } from '../../emulators/dynamodb.ts';
import { aStoreConfig } from '../../emulators/storeConfig.ts';

describe('connections', () => {
  let dynamoDb: Awaited<ReturnType<typeof startDynamoDb>>;
  let stores: { table: ReturnType<typeof makeDocumentClient>; stage: string };
  let connections: ConnectionStore;
  let unpairedPlaces: UnpairedPlaces;
  beforeAll(async () => {
    dynamoDb = await startDynamoDb();
    await createTables(dynamoDb.endpoint, 'test');
    stores = { table: makeDocumentClient(aStoreConfig({ dynamoDb })), stage: 'test' };
    connections = new ConnectionStore(stores);
    unpairedPlaces = new UnpairedPlaces(stores);
  });
  afterAll(() => dynamoDb.stop());
  const aTenant = (): TenantId => makeId('tnt', Date.now(), systemRandom);
  const place = (
    tenantId: TenantId,
    shardCount: number,
    shardCap: number,
    quotas: Pick<Quotas, 'connections' | 'unpairedConnections'> = usualQuotas,
  ): Promise<Connection> =>
    createConnection(
      { connections, unpairedPlaces, clock: systemClock, random: systemRandom, shardCount, shardCap },
      tenantId,
      { label: undefined },
      quotas,
    );

  it('fill shards evenly and never over their cap; then none has room', async () => {
    const placed: Connection[] = [];
    for (let index = 0; index < 12; index += 1) placed.push(await place(aTenant(), 3, 4));

    await expect(place(aTenant(), 3, 4)).rejects.toMatchObject({ code: 'no_shard_available' });

    expect([0, 1, 2].map((shard) => placed.filter((found) => found.shard === shard).length)).toEqual([4, 4, 4]);
  });

  it('are offered two different shards wherever there are two', () => {
    const unit = fc.double({ min: 0, max: 0.999999, noNaN: true });

    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), unit, unit, (shardCount, first, second) => {
        const candidates = chooseCandidates(shardCount, [first, second]);

        expect(new Set(candidates).size).toBe(Math.min(2, shardCount));
        expect(candidates.every((shard) => shard >= 0 && shard < shardCount)).toBe(true);
      }),
    );
  });

  it('of one tenant take four fifths of what others leave, so that there is room for a new one', async () => {
    const greedy = aTenant();
    const codes: unknown[] = [];
    // The places that are left now, on the only shard that there is.
    const quotas = { ...usualQuotas, unpairedConnections: 1_000 };
    const cap = (await connections.occupancy(0)) + 100;
    const fill = (tenantId: TenantId) => place(tenantId, 1, cap, quotas);
    for (let index = 0; index < 100; index += 1) {
      codes.push(
        await fill(greedy).then(
          () => 'placed',
          (error: { readonly code: string }) => error.code,
        ),
      );
    }

    const other = await fill(aTenant());

    expect(codes.filter((code) => code === 'placed')).toHaveLength(80);
    expect(new Set(codes.slice(80))).toEqual(new Set(['no_share_left']));
    expect(other.shard).toBe(0);
  });

  it('are as many as a tenant may have, also when all are asked for at once; one that is removed makes room', async () => {
    const tenantId = aTenant();
    const few = { connections: 5, unpairedConnections: 25 };
    const ask = () => place(tenantId, 1, 10_000, few).catch((error: { readonly code: string }) => error.code);

    const asked = await Promise.all(Array.from({ length: 20 }, ask));
    const made = asked.filter((one) => typeof one === 'object');
    const [gone] = made as [Connection];
    await connections.setWanted(tenantId, gone.connectionId, 'deleted');
    await connections.remove(gone);
    const freed = await ask();
    const refused = await ask();

    expect(made).toHaveLength(5);
    expect(new Set(asked.filter((one) => typeof one === 'string'))).toEqual(new Set(['quota_exceeded']));
    expect(freed).toMatchObject({ tenantId });
    expect(refused).toBe('quota_exceeded');
    expect(await place(aTenant(), 1, 10_000, { ...few, connections: 0 }).catch(({ code }) => code as string)).toBe(
      'quota_exceeded',
    );
  });

  it('without an account are as many as a tenant may have of these; one that is linked makes room', async () => {
    const tenantId = aTenant();
    const few = { connections: 100, unpairedConnections: 3 };
    const ask = () => place(tenantId, 1, 10_000, few).catch((error: { readonly code: string }) => error.code);

    const asked = await Promise.all(Array.from({ length: 9 }, ask));
    const [linked] = asked.filter((one) => typeof one === 'object') as [Connection];
    const full = await ask();
    await unpairedPlaces.free(linked);
    await unpairedPlaces.free(linked);
    const freed = await ask();

    expect(asked.filter((one) => typeof one === 'object')).toHaveLength(3);
    expect(full).toBe('quota_exceeded');
    expect(freed).toMatchObject({ tenantId });
    expect((await connections.find(tenantId, linked.connectionId))?.unpairedPlace).toBeUndefined();
    expect(await ask()).toBe('quota_exceeded');
  });

  it('are deleted when nobody links an account for a week, and never once one was linked', async () => {
    const connection = await place(aTenant(), 1, 10_000);
    const later = connection.createdAtMs + UNPAIRED_KEPT_MS + 1;
    const pairing = { requestId: 'r', method: 'qr', requestedAtMs: later - 3_600_000 } as const;
    const account = { phoneJid: '1@s.whatsapp.net', lid: undefined, name: undefined };

    const judged = [
      isUnpairedTooLong(connection, later - 2),
      isUnpairedTooLong(connection, later),
      isUnpairedTooLong({ ...connection, pairing }, later),
      isUnpairedTooLong({ ...connection, account }, later),
      isUnpairedTooLong({ ...connection, unpairedPlace: undefined }, later),
    ];
    const outcomes = [await unpairedPlaces.expire(connection), await unpairedPlaces.expire(connection)];

    expect(judged).toEqual([false, true, false, false, false]);
    expect(outcomes).toEqual(['expired', 'missing']);
    expect((await connections.find(connection.tenantId, connection.connectionId))?.wanted).toBe('deleted');
  });

  const aPlaced = async (): Promise<Connection> => place(aTenant(), 40, 100);

  it('are found under their own tenant alone', async () => {
    const connection = await aPlaced();

    expect(await connections.find(connection.tenantId, connection.connectionId)).toEqual(connection);
    expect(await connections.find(aTenant(), connection.connectionId)).toBeUndefined();
  });

  it('take a status from their present owner, and none from an earlier one', async () => {
    const connection = await aPlaced();
    const record = (token: number, code: 'open' | 'opening') =>
      connections.recordStatus(
        { ...connection, token },
        {
          status: 'online',
          code,
          sinceMs: 1,
          transitions: 1,
          nextAttemptAtMs: undefined,
        },
      );

    const outcomes = [
      await record(2, 'open'),
      await record(1, 'opening'),
      await record(2, 'open'),
      await record(3, 'opening'),
    ];

    expect(outcomes).toEqual(['set', 'missing', 'set', 'set']);
    expect((await connections.find(connection.tenantId, connection.connectionId))?.statusCode).toBe('opening');
  });

  it('are listed by shard while they are wanted online or wait to be removed', async () => {
    const connection = await aPlaced();
    const isListed = async () =>
      (await connections.listOfShard(connection.shard)).some(
        ({ connectionId }) => connectionId === connection.connectionId,
      );

    const seen = [await isListed()];
    await connections.setWanted(connection.tenantId, connection.connectionId, 'off');
    seen.push(await isListed());
    await connections.setWanted(connection.tenantId, connection.connectionId, 'online');
    seen.push(await isListed());
    await connections.setWanted(connection.tenantId, connection.connectionId, 'deleted');
    seen.push(await isListed());

    expect(seen).toEqual([true, false, true, true]);
    expect(await connections.setWanted(connection.tenantId, connection.connectionId, 'online')).toBe('missing');
  });

  it('leave the place of another when they are removed late, after theirs was freed and taken anew', async () => {
    const tenantId = aTenant();
    const few = { connections: 100, unpairedConnections: 1 };
    const first = await place(tenantId, 1, 10_000, few);
    await unpairedPlaces.free(first);
    await place(tenantId, 1, 10_000, few);
    await connections.setWanted(tenantId, first.connectionId, 'deleted');

    // It is removed as it was read before its place was freed.
    const outcome = await connections.remove(first);
    const more = await place(tenantId, 1, 10_000, few).catch((error: { readonly code: string }) => error.code);

    expect(outcome).toBe('removed');
    expect(more).toBe('quota_exceeded');
  });

  it('give their place back once, when they wait to be removed', async () => {
    const connection = await place(aTenant(), 1, 1_000);
    const before = await connections.occupancy(0);
    const early = await connections.remove(connection);
    await connections.setWanted(connection.tenantId, connection.connectionId, 'deleted');

    const outcomes = [early, await connections.remove(connection), await connections.remove(connection)];

    expect(outcomes).toEqual(['missing', 'removed', 'missing']);
    expect(await connections.occupancy(0)).toBe(before - 1);
  });

  it('take no pairing request while an account is linked', async () => {
    const connection = await aPlaced();
    const pairing = { requestId: 'r', requestedAtMs: 1, method: 'qr' } as const;
    const ask = () => connections.setPairing(connection.tenantId, connection.connectionId, pairing);
    const owner = { ...connection, token: 1 };

    const outcomes = [await ask()];
    await connections.recordAccount(owner, { phoneJid: '1@s.whatsapp.net', lid: undefined, name: undefined });
    outcomes.push(await ask());
    await connections.recordAccount(owner, undefined);
    outcomes.push(await ask());

    expect(outcomes).toEqual(['set', 'missing', 'set']);
  });

  it('show an offer until it expires, and none of an earlier owner', async () => {
    const connectionId: ConnectionId = makeId('con', Date.now(), systemRandom);
    const offer = (qr: string) => ({ method: 'qr', qr, expiresAtMs: 1_000_000 }) as const;

    const outcomes = [
      await putPairingOffer(stores, { connectionId, token: 2 }, offer('new')),
      await putPairingOffer(stores, { connectionId, token: 1 }, offer('old')),
    ];
    await deletePairingOffer(stores, { connectionId, token: 1 });

    expect(outcomes).toEqual(['stored', 'lost']);
    expect(await findPairingOffer(stores, connectionId, 999_999)).toEqual(offer('new'));
    expect(await findPairingOffer(stores, connectionId, 1_000_000)).toBeUndefined();
    await deletePairingOffer(stores, { connectionId, token: 2 });
    expect(await findPairingOffer(stores, connectionId, 0)).toBeUndefined();
  });
});
