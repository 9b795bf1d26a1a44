import { VETTED_VERSION } from '../shared/fleet/whatsAppVersion.ts';
import { makeId, type WorkerId } from '../shared/kernel/id.ts';
import type { WorkerConfig } from '../shared/platform/config.ts';
import type { Scope } from '../shared/kernel/scope.ts';
import type { Surroundings } from '../shared/platform/surroundings.ts';
import type { OwnedShards } from './commands/ownedShards.ts';
import { ClientVersions } from './fleet/clientVersions.ts';
import type { FleetMember } from './fleet/fleetMember.ts';
import { FleetStore } from './fleet/fleetStore.ts';
import type { CommitGate } from './fleet/gate.ts';
import { OpenBudget } from './fleet/openBudget.ts';
import { TaskProtection } from './fleet/taskProtection.ts';
import { OpenMeter } from './runner/openMeter.ts';
import type { ProcessSymptom } from './runner/supervision.ts';
import { Supervisor } from './runner/supervisor.ts';
import { startDigestWriter } from './status/digestWriter.ts';
import { drawMaxAgeMs } from './vitals/vitalSigns.ts';
import type { VitalsSource } from './vitals/vitalsSource.ts';
import { VitalsWatch } from './vitals/vitalsWatch.ts';
import type { WorkerWorld } from './world.ts';
import { makeLateGate } from './fleet/lateGate.ts';
import { makeOwnedShards } from './shardComposition.ts';

export interface WorkerOptions extends Pick<Surroundings, 'logger' | 'metrics'> {
  readonly config: WorkerConfig;
  /** Called at most once, when the lease is dead or gone; from then on nothing may be written. */
  readonly onFenced: () => void;
  /** Called when something cannot be undone from here: the process must end. */
  readonly onBroken: (error: unknown) => void;
  /** Called at most once, when new sockets do not help its connections: the worker should be drained. */
  readonly onUnwell: (symptom: ProcessSymptom) => void;
  /** Called, possibly more than once, when this worker is to drain and end, so that another replaces it. */
  readonly onDrainRequested: (reason: DrainReason) => void;
  readonly vitals: VitalsSource;
  /**
   * The scope of everything that the worker holds. Its close ends everything at once, as a crash would, and leaves the
   * lease.
   */
  readonly scope: Scope;
}

/**
 * The reason why a worker is to end: an operator asked, or it asked itself (docs/lifecycle.md, "Recycling workers").
 */
export type DrainReason = 'operator' | 'age' | 'memory' | 'memory_critical';

export interface RunningWorker {
  readonly workerId: WorkerId;
  /**
   * Gives every shard to other workers, each after its work has ended, then ends the lease. Rejects past its deadline.
   */
  readonly drain: () => Promise<void>;
  /** Closes every socket without logging out and writes nothing. */
  readonly closeSockets: () => Promise<void>;
  /** Whether the worker may act: its lease lives, as far as it knows. */
  readonly mayAct: () => boolean;
}

/** Starts a worker: resolves when its lease exists. Throws when the store does not accept the lease. */
export async function startWorker(options: WorkerOptions, world: WorkerWorld): Promise<RunningWorker> {
  const { config, metrics, scope, onBroken } = options;
  const workerId = makeId('wrk', world.clock.nowMs(), world.random);
  const own: OwnOptions = { ...options, workerId, logger: options.logger.child({ workerId }) };
  const joined: { member?: FleetMember } = {};
  // Shards are made ready first, so that a bad key file is found before there is a lease.
  const gate = makeLateGate(() => joined.member?.gate);
  const opening = makeOpening(own, world, () => shards.versionChanged());
  const { takeTurn, opens, versions } = opening;
  const shards = makeOwnedShards({
    config,
    logger: own.logger,
    workerId,
    gate,
    scope,
    takeTurn,
    onBroken,
    opens,
    versions,
    metrics,
    world,
  });
  // The read goes on beside the making of the lease: a claim comes later than this read, and a store that does not
  // answer must not hold it up.
  scope.hold('other', () => versions.stop());
  void versions.start();
  const leaving = makeLeaving(own, world, shards);
  const member = await joinFleet(own, world, shards, opening, leaving);
  joined.member = member;
  scope.hold('other', () => member.stop());
  const { supervisor, digests } = watchSockets(own, world, { shards, member, gate, vitals: opening.vitals });
  return {
    workerId,
    drain: async () => {
      leaving.drain();
      await member.drain();
      await digests.stop();
    },
    closeSockets: async () => {
      supervisor.stop();
      void digests.stop();
      await shards.loseAll();
    },
    mayAct: gate.isOpen,
  };
}

/** The logger is bound to the worker. */
interface OwnOptions extends WorkerOptions {
  readonly workerId: WorkerId;
}

interface SocketOpening {
  readonly budget: OpenBudget;
  readonly vitals: VitalsWatch;
  readonly opens: OpenMeter;
  readonly takeTurn: (signal: AbortSignal) => Promise<() => void>;
  readonly versions: ClientVersions;
}

/** What decides when sockets may open, and as which version of the client. */
function makeOpening(
  { config, scope, metrics, logger, vitals: source, onDrainRequested }: OwnOptions,
  { clock, random, fleetTable }: WorkerWorld,
  onVersionChanged: () => void,
): SocketOpening {
  const { opensPerSecond: perSecond, handshakesInFlight: handshakes } = config.ownership;
  const budget = new OpenBudget(clock, { perSecond, burst: config.shardCap, handshakes }, scope.signal);
  const vitals = new VitalsWatch({
    config: { ...config.vitals, maxAgeMs: drawMaxAgeMs(config.vitals.maxAgeMs, random.unit()) },
    source,
    scope,
    clock,
    metrics,
    logger,
    onMayOpen: (mayOpen) => budget.setPaused(!mayOpen),
    onCritical: () => onDrainRequested('memory_critical'),
  });
  const versions = new ClientVersions({
    fleet: { table: fleetTable, stage: config.stage },
    vetted: config.whatsappVersion ?? VETTED_VERSION,
    readEveryMs: config.versionReadMs,
    clock,
    logger,
    metrics,
    onChanged: onVersionChanged,
  });
  const takeTurn = async (signal: AbortSignal): Promise<() => void> => {
    const askedMs = clock.monotonicMs();
    const giveBack = await budget.acquire(signal);
    metrics.measure('OpenBudgetWait', clock.monotonicMs() - askedMs, {});
    return giveBack;
  };
  return { budget, vitals, opens: new OpenMeter(metrics, clock.monotonicMs), takeTurn, versions };
}

/** What a worker does while its shards leave, one by one in a deploy or all in its drain. */
interface Leaving {
  /** Called with each heartbeat that brings orders. */
  readonly follow: (outgoing: boolean) => void;
  readonly drain: () => void;
}

function makeLeaving(
  { logger, metrics }: OwnOptions,
  { clock, protectTask }: WorkerWorld,
  shards: OwnedShards,
): Leaving {
  const protection =
    protectTask === undefined ? undefined : new TaskProtection({ protectTask, clock, logger, metrics });
  let isDraining = false;
  return {
    follow: (outgoing) => {
      // A drain is for good, whatever an order says that was left before it.
      if (isDraining) return;
      shards.hurry(outgoing);
      protection?.follow(outgoing);
    },
    drain: () => {
      isDraining = true;
      protection?.stop();
      shards.hurry(true);
    },
  };
}

/** Takes the lease. The worker tells the fleet of its load, and does what the fleet asks. */
async function joinFleet(
  { config, workerId, logger, metrics, onBroken, onFenced, onDrainRequested }: OwnOptions,
  { clock, random, fleetTable, joinFleet: join }: WorkerWorld,
  shards: OwnedShards,
  { budget, opens, vitals }: SocketOpening,
  leaving: Leaving,
): Promise<FleetMember> {
  const { ownership, stage, shardCount, taskId, deployGeneration, zone } = config;
  const member = await join({
    store: new FleetStore(fleetTable, stage),
    config: ownership,
    shardCount,
    lease: { taskId, workerId, deployGeneration, zone },
    clock,
    random,
    logger,
    metrics,
    load: () => ({ ...shards.count(), waiting: budget.waiting, ...opens.counters(), ...vitals.load }),
    onOrders: ({ opensPerSecond, outgoing }) => {
      budget.setRate(opensPerSecond);
      leaving.follow(outgoing);
      metrics.gauge('ShardsOwned', member.ownedShards().size, {});
      for (const [status, count] of shards.byStatus()) metrics.gauge('ConnectionsByStatus', count, { status });
      const { late, longestMs } = shards.waiting(clock.nowMs());
      metrics.gauge('SendsLate', late, {});
      metrics.gauge('LongestWait', longestMs, {});
    },
    onClaimed: async (shard, epoch) => shards.claimed(shard, epoch),
    onLeaving: (shard) => shards.drain(shard),
    onLost: async (shard) => shards.lost(shard),
    onDrainRequested: (why) => {
      // A request that has ended by now is not fulfilled.
      const reason = why === 'operator' ? why : vitals.load.recycle;
      if (reason !== 'none') onDrainRequested(reason);
    },
    onBroken,
    onFenced,
  });
  return member;
}

interface Watched {
  readonly shards: OwnedShards;
  readonly member: FleetMember;
  readonly gate: CommitGate;
  readonly vitals: VitalsWatch;
}

/** The supervisor of this worker's sockets, and what the watchdog outside is told about them. */
function watchSockets(
  { config, workerId, scope, logger, metrics, onUnwell }: OwnOptions,
  { clock, fleetTable }: WorkerWorld,
  { shards, member, gate, vitals }: Watched,
) {
  const supervisor = new Supervisor({
    config: config.liveness,
    opensPerSecond: config.ownership.opensPerSecond,
    connections: () => shards.connections(),
    isOpen: gate.isOpen,
    clock,
    logger,
    metrics,
    onUnwell,
  });
  scope.hold('other', () => supervisor.stop());
  void supervisor.run();
  const digests = startDigestWriter({
    fleet: { table: fleetTable, stage: config.stage },
    workerId,
    gate,
    ownedShards: () => member.ownedShards(),
    vitals: () => shards.vitals(),
    loopDelayMs: () => vitals.loopDelayMs,
    config: config.digest,
    timeoutMs: config.ownership.heartbeatTimeoutMs * 2,
    clock,
    logger,
  });
  scope.hold('other', () => digests.stop());
  return { supervisor, digests };
}
