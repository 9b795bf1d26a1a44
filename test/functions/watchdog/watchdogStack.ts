import { DeleteCommand, GetCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { makeWatchdogHandler, type WatchdogDependencies } from '../../../functions/watchdog/handler.ts';
import { readMemory, type RecordedStep } from '../../../functions/watchdog/watchdogMemory.ts';
import { writeDigest } from '../../../shared/connection/workerDigest.ts';
import type { ConnectionVitals } from '../../../shared/connection/liveness.ts';
import { leaseKey } from '../../../shared/fleet/fleetLease.ts';
import { toLease, type LeaseName } from '../../../shared/fleet/fleetTable.ts';
import { noLoad, ownedBy, type LeaseView } from '../../../shared/fleet/fleetView.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { makeId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { silentLogger } from '../../../shared/platform/logger.ts';
import { FleetStore } from '../../../worker/fleet/fleetStore.ts';
import { keepingMetrics, type KeepingMetrics } from '../../shared/platform/keepingMetrics.ts';
import { ApiStack } from '../api/apiStack.ts';
import { aShardDigest, rules } from './builders.ts';

const TABLE = 'test-fleet';
const SHARDS = 2;

/** The watchdog on the emulators, with workers of which there is nothing but what they write. Its minutes pass by hand. */
export class WatchdogStack {
  readonly api: ApiStack;
  readonly store: FleetStore;
  readonly metrics: KeepingMetrics = keepingMetrics();
  /** Tasks that it had stopped, in order. */
  readonly stopped: string[] = [];
  readonly #numbers = new Map<string, number>();
  #nowMs = Date.UTC(2026, 7, 1);

  private constructor(api: ApiStack) {
    this.api = api;
    this.store = new FleetStore(api.dependencies.table, 'test');
  }

  static async start(): Promise<WatchdogStack> {
    return new WatchdogStack(await ApiStack.start());
  }

  stop(): Promise<void> {
    return this.api.stop();
  }

  /** Empties table and queues. */
  async clear(): Promise<void> {
    const { table } = this.api.dependencies;
    const { Items = [] } = await table.send(new ScanCommand({ TableName: TABLE, ConsistentRead: true }));
    for (const { pk, sk } of Items) await table.send(new DeleteCommand({ TableName: TABLE, Key: { pk, sk } }));
    await this.api.takeCommands();
    this.stopped.splice(0);
  }

  /** The handler; a death is confirmed after a fifth of a second. */
  handler(overrides: Partial<WatchdogDependencies> = {}): () => Promise<void> {
    const { table, stage, queue, queueUrlBase } = this.api.dependencies;
    return makeWatchdogHandler({
      table,
      stage,
      queue,
      queueUrlBase,
      clock: { ...systemClock, nowMs: () => this.#nowMs },
      random: systemRandom,
      rules: { ...rules, deathMs: 200 },
      shardCount: SHARDS,
      stopTask: async (taskId) => void this.stopped.push(taskId),
      openMetrics: () => ({ ...this.metrics, stop: () => undefined }),
      logger: silentLogger,
      ...overrides,
    });
  }

  /** A minute later. */
  pass(minutes = 1): void {
    this.#nowMs += minutes * 60_000;
  }

  /** A worker that owns these shards. */
  async aWorker(...shards: readonly number[]): Promise<LeaseName> {
    const workerId = makeId('wrk', Date.now(), systemRandom);
    const lease = { taskId: `task-of-${workerId}`, workerId };
    await this.store.createLease({ ...lease, deployGeneration: 0, zone: undefined }, this.#nowMs);
    const rows = (await this.store.read(SHARDS)).shards;
    for (const shard of shards) {
      const row = rows[shard];
      if (row !== undefined) await this.store.claim(row, lease);
    }
    return lease;
  }

  async beat(...workers: readonly LeaseName[]): Promise<void> {
    for (const lease of workers) {
      await this.store.heartbeat(lease, { state: 'ALIVE', load: noLoad, expecting: [] }, this.#nowMs);
    }
  }

  /** Two digests later: writes the second, in which these connections look unwell. */
  async tell(lease: LeaseName, suspects: readonly ConnectionVitals[] = []): Promise<void> {
    const number = (this.#numbers.get(lease.workerId) ?? 0) + 2;
    this.#numbers.set(lease.workerId, number);
    const { table, stage } = this.api.dependencies;
    const shards = ownedBy(await this.store.read(SHARDS), lease.workerId).map(({ shard, epoch }) =>
      aShardDigest(
        shard,
        epoch,
        suspects.filter((one) => one.shard === shard),
      ),
    );
    await writeDigest({ table, stage }, lease.workerId, { number, loopDelayMs: 1, shards }, this.#nowMs);
  }

  async leaseOf({ taskId, workerId }: LeaseName): Promise<LeaseView> {
    const Key = leaseKey(taskId, workerId);
    const { Item } = await this.api.dependencies.table.send(
      new GetCommand({ TableName: TABLE, Key, ConsistentRead: true }),
    );
    return toLease(Item ?? {});
  }

  async steps(): Promise<readonly RecordedStep[]> {
    return (await readMemory(this.api.dependencies)).memory.steps;
  }
}
