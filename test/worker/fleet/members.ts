import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { LeaseName } from '../../../shared/fleet/fleetTable.ts';
import { noLoad, type ShardView } from '../../../shared/fleet/fleetView.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { makeId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { makeHeartbeatClient } from '../../../shared/platform/aws.ts';
import type { OwnershipConfig } from '../../../shared/platform/ownershipConfig.ts';
import { silentLogger, type Logger } from '../../../shared/platform/logger.ts';
import { startFleetMember, type FleetMember, type FleetMemberOptions } from '../../../worker/fleet/fleetMember.ts';
import { FleetStore } from '../../../worker/fleet/fleetStore.ts';
import { keepingMetrics } from '../../shared/platform/keepingMetrics.ts';
import { createTables, startDynamoDb } from '../../emulators/dynamodb.ts';
import { aStoreConfig } from '../../emulators/storeConfig.ts';

/** Quick timings that keep the proportions of the real ones; a slow machine must not miss a fence. */
export const timings: OwnershipConfig = {
  heartbeatMs: 100,
  heartbeatTimeoutMs: 1_000,
  fenceMs: 2_000,
  deathMs: 3_000,
  orphanClaimMs: 60_000,
  drainTimeoutMs: 10_000,
  leaderReadMs: 100,
  brakeMs: 60_000,
  giveDeadlineMs: 5_000,
  watchMs: 20,
  rebalanceEveryMs: 60_000,
  rebalancePercent: 10,
  canaryPercent: 100,
  canaryHoldMs: 60_000,
  fleetOpensPerSecond: 500,
  opensPerSecond: 25,
  handshakesInFlight: 10,
  workerConnections: 400,
};

/** What a store can be told to do wrong. `lost`: the write is taken, its answer is not seen. */
export type Fault = 'lost' | 'away';
type Call = 'heartbeat' | 'read' | 'claim' | 'release' | 'give' | 'lead' | 'deputy';

/** The real store, on an emulator that never fails, with failures. */
export class FaultyStore extends FleetStore {
  readonly faults = new Map<Call, Fault[]>();
  isAway = false;
  /** Time between a heartbeat that was taken and its answer. */
  slowHeartbeatMs = 0;
  neverLeads = false;
  readonly calls: Call[] = [];
  readonly answered: Call[] = [];

  override heartbeat(...given: Parameters<FleetStore['heartbeat']>) {
    return this.#with('heartbeat', () => super.heartbeat(...given));
  }
  override read(shardCount: number) {
    return this.#with('read', () => super.read(shardCount));
  }
  override claim(seen: ShardView, lease: LeaseName) {
    return this.#with('claim', () => super.claim(seen, lease));
  }
  override release(...given: Parameters<FleetStore['release']>) {
    return this.#with('release', () => super.release(...given));
  }
  override give(...given: Parameters<FleetStore['give']>) {
    return this.#with('give', () => super.give(...given));
  }
  override lead(...given: Parameters<FleetStore['lead']>) {
    return this.neverLeads ? Promise.resolve('refused' as const) : this.#with('lead', () => super.lead(...given));
  }
  override nameDeputy(...given: Parameters<FleetStore['nameDeputy']>) {
    return this.#with('deputy', () => super.nameDeputy(...given));
  }

  async #with<Answer>(call: Call, run: () => Promise<Answer>): Promise<Answer> {
    this.calls.push(call);
    const fault = this.isAway ? 'away' : this.faults.get(call)?.shift();
    if (fault === 'away') throw new Error(`${call}: no answer`);
    const answer = await run();
    if (call === 'heartbeat') await systemClock.sleep(this.slowHeartbeatMs);
    this.answered.push(call);
    if (fault === 'lost') throw new Error(`${call}: the answer was lost`);
    return answer;
  }
}

export interface TestMember extends FleetMember {
  readonly own: LeaseName;
  readonly store: FaultyStore;
  readonly claimed: readonly (readonly [shard: number, epoch: number])[];
  readonly lost: readonly number[];
  readonly fenced: () => number;
  /** What broke it. */
  readonly broken: readonly unknown[];
  readonly drainRequests: () => number;
  readonly metrics: ReturnType<typeof keepingMetrics>;
  /** Messages that it logged. */
  readonly logged: readonly string[];
}

export type MemberOverrides = Partial<Pick<FleetMemberOptions, 'onClaimed' | 'onLeaving' | 'shardCount'>> & {
  readonly taskId?: string;
  readonly deployGeneration?: number;
  readonly config?: Partial<OwnershipConfig>;
  readonly prepare?: (store: FaultyStore) => void;
};

/** An emulator, a new stage for each test, and members that are stopped after it. */
export async function startFleets() {
  const dynamoDb = await startDynamoDb();
  const table: DynamoDBDocumentClient = makeHeartbeatClient(aStoreConfig({ dynamoDb }), timings.heartbeatTimeoutMs);
  const members: TestMember[] = [];
  let stages = 0;
  let stage = '';
  return {
    table,
    stage: () => stage,
    store: () => new FleetStore(table, stage),
    newStage: async (): Promise<void> => {
      stage = `member${(stages += 1)}`;
      await createTables(dynamoDb.endpoint, stage);
    },
    aMember: async (overrides: MemberOverrides = {}): Promise<TestMember> => {
      const member = await startMember(new FaultyStore(table, stage), overrides);
      members.push(member);
      return member;
    },
    stopMembers: async (): Promise<void> => {
      await Promise.all(members.splice(0).map((member) => member.stop()));
    },
    stop: async (): Promise<void> => {
      table.destroy();
      await dynamoDb.stop();
    },
  };
}

async function startMember(store: FaultyStore, overrides: MemberOverrides): Promise<TestMember> {
  const { onClaimed, onLeaving, deployGeneration = 0, shardCount = 4, config = {}, prepare } = overrides;
  const workerId = makeId('wrk', systemClock.nowMs(), systemRandom);
  const own = { taskId: overrides.taskId ?? `task-${workerId}`, workerId };
  const claimed: (readonly [number, number])[] = [];
  const lost: number[] = [];
  const logged: string[] = [];
  const metrics = keepingMetrics();
  const broken: unknown[] = [];
  let fenced = 0;
  let drainRequests = 0;
  prepare?.(store);
  const member = await startFleetMember({
    store,
    config: { ...timings, ...config },
    shardCount,
    lease: { ...own, deployGeneration, zone: undefined },
    metrics,
    load: () => noLoad,
    onOrders: () => undefined,
    onDrainRequested: () => void (drainRequests += 1),
    onLeaving: async (shard) => onLeaving?.(shard),
    onBroken: (error) => void broken.push(error),
    clock: systemClock,
    random: systemRandom,
    logger: keepingLogger(logged),
    onClaimed: async (shard, epoch) => {
      claimed.push([shard, epoch]);
      await onClaimed?.(shard, epoch);
    },
    onLost: async (shard) => void lost.push(shard),
    onFenced: () => void (fenced += 1),
  });
  return {
    own,
    store,
    claimed,
    lost,
    logged,
    fenced: () => fenced,
    broken,
    drainRequests: () => drainRequests,
    metrics,
    gate: member.gate,
    ownedShards: () => member.ownedShards(),
    drain: () => member.drain(),
    stop: () => member.stop(),
  };
}

function keepingLogger(logged: string[]): Logger {
  const keep = (message: string): void => void logged.push(message);
  const logger: Logger = { ...silentLogger, debug: keep, info: keep, warn: keep, error: keep, child: () => logger };
  return logger;
}
