import { BatchWriteCommand, ScanCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { noLoad } from '../../../shared/fleet/fleetView.ts';
import { readFleet } from '../../../shared/fleet/fleetTable.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { makeId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { silentMetrics } from '../../../shared/platform/metrics.ts';
import { FleetStore } from '../../../worker/fleet/fleetStore.ts';
import { restoreSessions } from '../../../worker/session/restoreSessions.ts';
import { until } from '../../whatsapp/until.ts';
import { ANN, BOB, SocketRoom } from '../socket/socketRoom.ts';

const TABLE = 'test-sessions';
const SHARDS = 2;
const idle = { state: 'ALIVE', load: noLoad, expecting: [] } as const;

describe('a restore of the Sessions table', () => {
  let room: SocketRoom;
  beforeEach(async () => {
    room = await SocketRoom.start();
    await room.pairByQr();
  });
  afterEach(() => room.stop());

  const everything = async (table: DynamoDBDocumentClient) =>
    (await table.send(new ScanCommand({ TableName: TABLE, ConsistentRead: true }))).Items ?? [];
  /** Makes the table what it was. */
  async function putBack(table: DynamoDBDocumentClient, items: Awaited<ReturnType<typeof everything>>) {
    const now = await everything(table);
    const removed = now.map(({ pk, sk }) => ({ DeleteRequest: { Key: { pk, sk } } }));
    const put = items.map((Item) => ({ PutRequest: { Item } }));
    for (const requests of [removed, put]) {
      for (let start = 0; start < requests.length; start += 25) {
        await table.send(new BatchWriteCommand({ RequestItems: { [TABLE]: requests.slice(start, start + 25) } }));
      }
    }
  }
  const restore = (table: DynamoDBDocumentClient) =>
    restoreSessions({
      table,
      fleetTable: table,
      fleet: new FleetStore(table, 'test'),
      stage: 'test',
      shardCount: SHARDS,
      deathMs: 50,
      storeTimeoutMs: 5_000,
      clock: systemClock,
      random: systemRandom,
      metrics: silentMetrics,
      keyProvider: room.keyProvider,
    });
  /** Both write so many messages, one after the other. */
  async function talk(what: string, count: number): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      await room.client.write(BOB, ANN, `${what} in ${index}`);
      await until(
        'the message',
        () => room.texts(),
        (texts) => texts.includes(`${what} in ${index}`),
      );
      const { outcome } = await room.send(`${what} out ${index}`);
      expect(outcome?.outcome).toBe('acknowledged');
    }
  }
  const atBob = async () => (await room.client.messages(BOB)).filter(({ fromMe }) => !fromMe).map(({ text }) => text);
  const loginAs = async (token: number) => {
    const session = await room.session(token);
    await session.raiseEpoch();
    room.open(session);
    await room.input('caught_up');
  };

  it('renegotiates: everything that is sent afterwards is read, and everything that is written to us is published', async () => {
    const table = room.store();
    await talk('before the backup', 2);
    await room.socket?.close('end');
    const backup = await everything(table);
    await loginAs(1);
    await talk('after the backup', 3);
    await room.socket?.close('end');

    await putBack(table, backup);
    const report = await restore(table);
    await loginAs(report.epoch + 1);
    await talk('after the restore', 3);

    const shown = await until('all messages', atBob, (texts) => texts.length === 8);
    expect(shown.slice(-3)).toEqual([0, 1, 2].map((index) => `after the restore out ${index}`));
    expect(await room.client.failures(BOB)).toEqual([]);
    expect(report).toMatchObject({ paired: 1, unpaired: 0 });
  });

  it('is needed: without it a message key is used twice, and the contact cannot read us', async () => {
    const table = room.store();
    await talk('before the backup', 1);
    await room.socket?.close('end');
    const backup = await everything(table);
    await loginAs(1);
    for (const text of ['one', 'two']) await room.send(text);
    await until('the messages', atBob, (texts) => texts.length === 3);
    await room.socket?.close('end');

    await putBack(table, backup);
    await loginAs(1);
    await room.send('under a key that was used before');

    const failures = await until(
      'a failure',
      () => room.client.failures(BOB),
      (found) => found.length > 0,
    );
    expect(failures.length).toBeGreaterThan(0);
  });

  it('raises every epoch above any that was seen, far above when the Fleet table is lost, and counts pre-keys on from far ahead', async () => {
    const table = room.store();
    await room.socket?.close('end');
    const before = (await room.session()).credentials as { readonly nextPreKeyId: number };
    const newer = await room.session(41);
    await newer.raiseEpoch();

    const lost = await restore(table);
    const { epoch } = await restore(table);

    const { shards } = await readFleet({ table, stage: 'test' }, SHARDS);
    expect(shards.map((shard) => [shard.epoch, shard.owner])).toEqual([
      [epoch, undefined],
      [epoch, undefined],
    ]);
    expect([lost.epoch, epoch]).toEqual([1_000_041, 1_000_042]);
    const after = (await room.session(epoch + 1)).credentials as { readonly nextPreKeyId: number };
    expect(after.nextPreKeyId - before.nextPreKeyId).toBe(20_000);
    await expect(newer.raiseEpoch()).rejects.toThrow('another owner has written CREDENTIALS');
  });

  it('refuses to run beside a worker, and ends the lease of one that shows no life', async () => {
    const table = room.store();
    await room.socket?.close('end');
    const fleet = new FleetStore(table, 'test');
    const lease = (task: string) => ({
      taskId: task,
      workerId: makeId('wrk', Date.now(), systemRandom),
      deployGeneration: 0,
      zone: undefined,
    });
    const [silent, living] = [lease('silent'), lease('living')];
    await fleet.createLease(silent, Date.now());
    await restore(table);
    await fleet.createLease(living, Date.now());
    const over = new AbortController();
    const beats = async (): Promise<void> => {
      while (!over.signal.aborted) await fleet.heartbeat(living, idle, Date.now());
    };
    const beating = beats();

    await expect(restore(table)).rejects.toThrow(`Still running: ${living.workerId}. Stop all workers first`);

    over.abort();
    await beating;
    const { leases } = await readFleet({ table, stage: 'test' }, SHARDS);
    expect(Object.fromEntries(leases.map(({ taskId, state }) => [taskId, state]))).toEqual({
      silent: 'DEAD',
      living: 'ALIVE',
    });
  });
});
