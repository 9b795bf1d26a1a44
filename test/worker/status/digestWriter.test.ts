import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ConnectionVitals } from '../../../shared/connection/liveness.ts';
import { digestKey, readDigests, writeDigest, type WorkerDigest } from '../../../shared/connection/workerDigest.ts';
import type { FleetTable } from '../../../shared/fleet/fleetTable.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { makeId, type WorkerId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { silentLogger } from '../../../shared/platform/logger.ts';
import { tableName } from '../../../shared/platform/tables.ts';
import { startDigestWriter, type DigestWriterDependencies } from '../../../worker/status/digestWriter.ts';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { aFrozenConnection } from '../../functions/watchdog/builders.ts';
import { until } from '../../whatsapp/until.ts';
import { startFleets } from '../fleet/members.ts';

const PATIENCE_MS = 20_000;

describe('the digest of a worker', () => {
  let fleets: Awaited<ReturnType<typeof startFleets>>;
  let fleet: FleetTable;
  let workerId: WorkerId;
  const writers: { readonly stop: () => Promise<void> }[] = [];
  beforeAll(async () => {
    fleets = await startFleets();
  });
  beforeEach(async () => {
    await fleets.newStage();
    fleet = { table: fleets.table, stage: fleets.stage() };
    workerId = makeId('wrk', Date.now(), systemRandom);
  });
  afterEach(async () => {
    await Promise.all(writers.splice(0).map((writer) => writer.stop()));
  });
  afterAll(() => fleets.stop());

  const start = (overrides: Partial<DigestWriterDependencies> = {}) => {
    const writer = startDigestWriter({
      fleet,
      workerId,
      gate: { isOpen: () => true },
      ownedShards: () => new Map([[0, 3]]),
      vitals: () => [],
      loopDelayMs: () => 2.4,
      config: { everyMs: 20, suspectMs: 60_000 },
      timeoutMs: 5_000,
      clock: systemClock,
      logger: silentLogger,
      ...overrides,
    });
    writers.push(writer);
    return writer;
  };
  const digest = async (): Promise<WorkerDigest | undefined> => (await readDigests(fleet, [workerId])).get(workerId);
  const untilNumber = (number: number): Promise<WorkerDigest | undefined> =>
    until('a digest', digest, (found) => (found?.number ?? 0) >= number, PATIENCE_MS);

  it('is written again and again under a number that grows, with what is so at the time', async () => {
    let vitals: readonly ConnectionVitals[] = [];
    start({ vitals: () => vitals });
    const first = await untilNumber(1);

    vitals = [aFrozenConnection(1, 0)];
    const later = await untilNumber((first?.number ?? 0) + 2);

    expect(first?.shards).toEqual([{ shard: 0, epoch: 3, count: 0, online: 0, suspected: 0, suspects: [] }]);
    expect(later?.shards).toEqual([{ shard: 0, epoch: 3, count: 1, online: 1, suspected: 1, suspects: vitals }]);
    expect(later?.loopDelayMs).toBe(2);
  });

  it('is one item that goes by itself a day after its worker', async () => {
    start();
    await untilNumber(2);

    const { Item } = await fleet.table.send(
      new GetCommand({ TableName: tableName(fleet.stage, 'fleet'), Key: digestKey(workerId), ConsistentRead: true }),
    );

    expect(Object.keys(Item ?? {}).sort()).toEqual(['digest', 'number', 'pk', 'sk', 'ttl', 'workerId']);
    expect(Math.abs(Number(Item?.['ttl']) - Date.now() / 1_000 - 86_400)).toBeLessThan(60);
  });

  it('is not written by who may not act, and again by who may', async () => {
    let isOpen = false;
    let asked = 0;
    start({ gate: { isOpen: () => ((asked += 1), isOpen) } });
    await until(
      'being asked',
      () => asked,
      (count) => count >= 3,
      PATIENCE_MS,
    );
    const suspended = await digest();

    isOpen = true;
    const resumed = await untilNumber(1);

    expect(suspended).toBeUndefined();
    expect(resumed?.number).toBeGreaterThanOrEqual(1);
  });

  it('that could not be written, or made, is logged and tried again', async () => {
    const logged: string[] = [];
    let failures = 2;
    start({
      logger: { ...silentLogger, warn: (message) => void logged.push(message) },
      vitals: () => {
        if ((failures -= 1) >= 0) throw new Error('no vitals');
        return [];
      },
    });

    const found = await untilNumber(3);

    expect(found?.number).toBeGreaterThanOrEqual(3);
    expect(logged).toEqual(['digest was not written', 'digest was not written']);
  });

  it('ends with its writer: nothing is written after that', async () => {
    const writer = start();
    await untilNumber(2);

    await writer.stop();
    await writeDigest(fleet, workerId, { number: 0, loopDelayMs: 0, shards: [] }, Date.now());
    await systemClock.sleep(100);

    expect((await digest())?.number).toBe(0);
  });

  it('leaves the view of the fleet as it is', async () => {
    const before = await fleets.store().read(2);

    start();
    await untilNumber(1);

    expect(await fleets.store().read(2)).toEqual(before);
  });
});
