import type { LeaseName } from '../../shared/fleet/fleetTable.ts';
import { orphansOf, type FleetView, type LeaseView, type Orders } from '../../shared/fleet/fleetView.ts';
import type { WorkerId } from '../../shared/kernel/id.ts';
import type { OwnershipConfig } from '../../shared/platform/ownershipConfig.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { FleetStore } from './fleetStore.ts';
import type { CommitGate } from './gate.ts';
import { plan } from './planner.ts';
import { noMemory, type Plan, type PlanMemory } from './planTypes.ts';

/** How many heartbeats a worker has been here before it plans, so that workers which start together are all seen. */
const SETTLE_HEARTBEATS = 1.8;

export interface LeaderDependencies extends Pick<Surroundings, 'logger' | 'metrics'> {
  readonly store: FleetStore;
  readonly config: OwnershipConfig;
  readonly own: LeaseName;
  readonly gate: CommitGate;
}

/**
 * Whether a worker leads that is ALIVE and not silent. A leader that drains is replaced, as it cannot claim what it
 * would plan. A silent leader that the brake keeps from being declared dead is replaced, too: proven deaths of others
 * must not wait for it.
 */
export function isLed(
  { leadership, leases }: Pick<FleetView, 'leadership' | 'leases'>,
  silent: ReadonlySet<WorkerId>,
): boolean {
  return isAble(leadership.leader, leases, silent);
}

/**
 * Whether this worker should look at the whole fleet: when it leads, when it is the deputy, or when neither of them is
 * able to. All other workers read three rows, so that the cost of looking does not grow with the square of the workers.
 */
export function attends(
  me: WorkerId,
  { leadership, leases }: Pick<FleetView, 'leadership' | 'leases'>,
  silent: ReadonlySet<WorkerId>,
): boolean {
  const { leader, deputy } = leadership;
  if (leader === me || deputy === me) return true;
  return !isAble(leader, leases, silent) && !isAble(deputy, leases, silent);
}

/**
 * How full the workers are that may take connections, in percent; the service is scaled by this figure. A worker that
 * drains or dies counts with its remaining connections and not as room, and of two deploy generations only the larger one
 * counts as room, so that a deploy does not look like a fleet that is too large, or its first new worker like one that is
 * too small.
 */
export function utilisationPercent(leases: readonly LeaseView[], workerConnections: number): number {
  const living = leases.filter(({ state }) => state !== 'DEAD');
  const able = living.filter(({ state, drainRequested }) => state === 'ALIVE' && !drainRequested);
  const held = living.reduce((sum, { load }) => sum + load.connections, 0);
  const sizes = new Map<number, number>();
  for (const { deployGeneration } of able) sizes.set(deployGeneration, (sizes.get(deployGeneration) ?? 0) + 1);
  const room = Math.max(0, ...sizes.values()) * workerConnections;
  return room === 0 ? 100 : (100 * held) / room;
}

function isAble(workerId: WorkerId | undefined, leases: readonly LeaseView[], silent: ReadonlySet<WorkerId>): boolean {
  return leases.some((lease) => lease.workerId === workerId && lease.state === 'ALIVE' && !silent.has(lease.workerId));
}

/**
 * Chooses the living worker with the lowest id beside the leader as the deputy. Any rule would do that all workers
 * agree on.
 */
export function chooseDeputy(
  me: WorkerId,
  leases: readonly LeaseView[],
  silent: ReadonlySet<WorkerId>,
): LeaseView | undefined {
  return leases
    .filter(({ workerId, state }) => workerId !== me && state === 'ALIVE' && !silent.has(workerId))
    .sort((left, right) => (left.workerId < right.workerId ? -1 : 1))[0];
}

/**
 * This worker's part in leading. It stands for election when no able worker leads, and while it leads it plans at each
 * look. Two workers that believe that they lead do no harm: a plan only proposes, and claims and gives are conditional
 * writes.
 */
export class Leader {
  readonly #dependencies: LeaderDependencies;
  #joinedMs: number | undefined;
  #leaderlessSinceMs: number | undefined;
  #memory: PlanMemory = noMemory;
  /** Workers that were seen to be stopped; undefined until the first look as leader. */
  #stopped: ReadonlySet<WorkerId> | undefined;

  constructor(dependencies: LeaderDependencies) {
    this.#dependencies = dependencies;
  }

  /** Milliseconds for which no leader has been seen; 0 while there is one. */
  leaderlessMs(nowMs: number): number {
    return this.#leaderlessSinceMs === undefined ? 0 : nowMs - this.#leaderlessSinceMs;
  }

  /** Whether moves are under way, so that the next look should be soon. */
  get isBusy(): boolean {
    return this.#memory.moves.length > 0;
  }

  /** Notes whether the leader was seen, for a worker that does not look at the whole fleet. */
  noteLeader(isThere: boolean, nowMs: number): void {
    this.#joinedMs ??= nowMs;
    this.#leaderlessSinceMs = isThere ? undefined : (this.#leaderlessSinceMs ?? nowMs);
  }

  /**
   * Acts on one look at the whole fleet. Returns the orders for this worker by its own plan, or undefined when another
   * worker leads. Throws when the store does not answer.
   * @param silent workers that showed no heartbeat for the time of a death
   */
  async look(view: FleetView, silent: ReadonlySet<WorkerId>, nowMs: number): Promise<Orders | undefined> {
    const { store, config, own, gate, logger, metrics } = this.#dependencies;
    const led = isLed(view, silent);
    this.noteLeader(led, nowMs);
    const joinedMs = this.#joinedMs ?? nowMs;
    if (!gate.isOpen()) return undefined;
    if (!led) {
      if ((await store.lead(own, view.leadership.leader)) === 'refused') return undefined;
      this.#memory = { ...noMemory, membersSinceMs: nowMs, rebalancedAtMs: nowMs };
      logger.info('leading', { workerId: own.workerId });
      metrics.count('LeaderChanges', {});
    } else if (view.leadership.leader !== own.workerId) {
      this.#memory = noMemory;
      return undefined;
    }
    const deputy = chooseDeputy(own.workerId, view.leases, silent);
    // A row that names the right deputy stays as it is; to have taken the lead has removed the one before.
    const named = led ? view.leadership.deputy : undefined;
    if (deputy?.workerId !== named && (await store.nameDeputy(own, deputy)) === 'refused') return undefined;
    if (nowMs - joinedMs < SETTLE_HEARTBEATS * config.heartbeatMs) return undefined;
    metrics.gauge('ShardsUnowned', orphansOf(view).length, {});
    metrics.gauge('FleetUtilisation', utilisationPercent(view.leases, config.workerConnections), {});
    this.#countStopped(view);
    const next = plan(view, silent, this.#memory, nowMs, config);
    this.#memory = next.memory;
    metrics.gauge('OutageMode', next.memory.opens?.mode === 'outage' ? 1 : 0, {});
    await this.#write(view, next);
    return next.orders.get(own.workerId);
  }

  /** Counts deaths that other processes proved, each once: the leader does it for the fleet. */
  #countStopped({ leases }: FleetView): void {
    const stopped = new Set(leases.filter(({ proof }) => proof === 'stopped').map(({ workerId }) => workerId));
    const known = this.#stopped ?? stopped;
    for (const workerId of stopped) {
      if (!known.has(workerId)) this.#dependencies.metrics.count('WorkersDead', { proof: 'stopped' });
    }
    this.#stopped = stopped;
  }

  /** Writes a plan, the rows first: an order to give is of use only when the row names the target. */
  async #write(view: FleetView, { orders, offers, withdrawals }: Plan): Promise<void> {
    const { store, gate, logger, metrics } = this.#dependencies;
    for (const row of withdrawals) {
      if (!gate.isOpen()) return;
      const outcome = await store.withdraw(row);
      logger.warn('offer withdrawn', { shard: row.shard, epoch: row.epoch, outcome });
    }
    for (const { shard: row, to, reason } of offers) {
      const target = view.leases.find(({ workerId }) => workerId === to);
      if (!gate.isOpen() || target === undefined) return;
      const outcome = await store.offer(row, target);
      if (outcome === 'written') metrics.count('ShardsMoved', { reason });
      logger.info('shard offered', { shard: row.shard, epoch: row.epoch, reason, workerId: to, outcome });
    }
    for (const lease of view.leases) {
      const next = orders.get(lease.workerId);
      if (next === undefined || isSame(next, lease.orders)) continue;
      if (!gate.isOpen()) return;
      await store.order(lease, next);
    }
  }
}

function isSame(left: Orders, right: Orders): boolean {
  return (
    isSameList(left.claim, right.claim) &&
    isSameList(left.expect, right.expect) &&
    isSameList(left.give, right.give) &&
    left.opensPerSecond === right.opensPerSecond &&
    left.mode === right.mode &&
    left.recycle === right.recycle &&
    left.outgoing === right.outgoing
  );
}

function isSameList(left: readonly number[], right: readonly number[]): boolean {
  return left.length === right.length && left.every((value, index) => value === right[index]);
}
