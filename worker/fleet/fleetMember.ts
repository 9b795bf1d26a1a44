import type { Clock } from '../../shared/kernel/clock.ts';
import { withDeadline } from '../../shared/kernel/deadline.ts';
import type { WorkerId } from '../../shared/kernel/id.ts';
import type { Random } from '../../shared/kernel/random.ts';
import type { OwnershipConfig } from '../../shared/platform/config.ts';
import type { Logger } from '../../shared/platform/logger.ts';
import { isMassDeath, looksDead, observe, type Observations } from './deathObserver.ts';
import type { FleetStore, OwnLease } from './fleetStore.ts';
import { orphansOf, type FleetView, type LeaseView } from './fleetView.ts';
import { LeaseGate, type CommitGate } from './gate.ts';
import { plan } from './planner.ts';

/**
 * This worker as a member of the fleet (PROTOCOL.md §2–3): it keeps its lease, observes the others, leads when nobody
 * alive does, claims what the leader assigns, and claims orphans by itself when there is no leader for too long.
 *
 *   heartbeat loop   every H: renew → gate, assignment, fence
 *   observer loop    every H: one consistent read → deaths, leader, plan, claims
 *
 * The two are apart, so that nothing delays a heartbeat.
 */
export interface FleetMemberOptions {
  readonly store: FleetStore;
  readonly config: OwnershipConfig;
  readonly shardCount: number;
  readonly taskId: string;
  readonly workerId: WorkerId;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** A shard is ours. */
  readonly onClaimed: (shard: number, epoch: number) => Promise<void>;
  /** The lease is dead or gone: stop everything, write nothing more. Called at most once. */
  readonly onFenced: () => void;
}

export interface FleetMember {
  readonly gate: CommitGate;
  readonly ownedShards: () => ReadonlyMap<number, number>;
  /** Gives every shard up, each after `beforeRelease`, then ends the lease. Rejects past its deadline. */
  readonly drain: (options: { readonly beforeRelease: (shard: number) => Promise<void> }) => Promise<void>;
  /** Stops the loops and leaves the lease as it is, as a crash would. */
  readonly stop: () => Promise<void>;
}

/** Heartbeats that a new leader waits before its first plan, so that workers which start together are all seen. */
const SETTLE_HEARTBEATS = 2;
const JITTER = 0.1;

/** Makes the lease and joins. Throws when the store does not take the lease. */
export async function startFleetMember(options: FleetMemberOptions): Promise<FleetMember> {
  const sentAtMs = options.clock.monotonicMs();
  await options.store.createLease({ taskId: options.taskId, workerId: options.workerId });
  const member = new Member(options, new LeaseGate(options.clock, options.config.fenceMs, sentAtMs));
  member.start();
  return member;
}

class Member implements FleetMember {
  readonly gate: LeaseGate;
  readonly #options: FleetMemberOptions;
  readonly #lease: OwnLease;
  readonly #owned = new Map<number, number>();
  readonly #stopping = new AbortController();
  #state: 'ALIVE' | 'DRAINING' = 'ALIVE';
  #fenced = false;
  #assignment: readonly number[] = [];
  #observations: Observations = new Map();
  #leadingSinceMs: number | undefined;
  #leaderlessSinceMs: number | undefined;
  #loops: Promise<unknown> = Promise.resolve();

  constructor(options: FleetMemberOptions, gate: LeaseGate) {
    this.#options = options;
    this.gate = gate;
    this.#lease = { taskId: options.taskId, workerId: options.workerId };
  }

  start(): void {
    this.#loops = Promise.all([
      this.#every('heartbeat', () => this.#heartbeat()),
      this.#every('fleet observation', () => this.#observe()),
    ]);
  }

  ownedShards(): ReadonlyMap<number, number> {
    return this.#owned;
  }

  async drain({ beforeRelease }: { readonly beforeRelease: (shard: number) => Promise<void> }): Promise<void> {
    const { store, clock, config, workerId, logger } = this.#options;
    this.#state = 'DRAINING';
    const startedMs = clock.monotonicMs();
    logger.info('drain started', { shards: this.#owned.size });
    await withDeadline('draining the worker', config.drainTimeoutMs, () =>
      Promise.all(
        [...this.#owned].map(async ([shard, epoch]) => {
          await beforeRelease(shard);
          this.gate.assertOpen();
          await store.release(shard, workerId, epoch);
          this.#owned.delete(shard);
        }),
      ),
    );
    await this.stop();
    if (!this.#fenced) await store.finishLease(this.#lease, clock.nowMs());
    logger.info('drain finished', { durationMs: Math.round(clock.monotonicMs() - startedMs) });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loops;
  }

  /** Runs work again and again, a heartbeat apart with jitter. A failure is logged; the next turn tries again. */
  async #every(what: string, work: () => Promise<void>): Promise<void> {
    const { clock, random, config, logger } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await work();
      } catch (error) {
        logger.warn('fleet store did not answer', { operation: what, error });
      }
      const jitter = 1 - JITTER + 2 * JITTER * random.unit();
      await clock.sleep(config.heartbeatMs * jitter, signal);
    }
  }

  async #heartbeat(): Promise<void> {
    const { store, clock, config } = this.#options;
    const sentAtMs = clock.monotonicMs();
    const answer = await withDeadline('a heartbeat', config.heartbeatTimeoutMs * 2, () =>
      store.heartbeat(this.#lease, this.#state),
    );
    if (answer === 'fenced') this.#fence();
    else {
      this.gate.acknowledge(sentAtMs);
      this.#assignment = answer.assignment;
    }
  }

  #fence(): void {
    if (this.#fenced || this.#stopping.signal.aborted) return;
    this.#fenced = true;
    this.gate.fence();
    this.#stopping.abort();
    this.#owned.clear();
    this.#options.logger.error('worker lease is dead', { workerId: this.#lease.workerId });
    this.#options.onFenced();
  }

  async #observe(): Promise<void> {
    const { store, clock, config, shardCount } = this.#options;
    const view = await withDeadline('reading the fleet', config.heartbeatTimeoutMs * 4, () => store.read(shardCount));
    const nowMs = clock.monotonicMs();
    this.#observations = observe(this.#observations, view.leases, nowMs);
    await this.#sentence(view, nowMs);
    await this.#lead(view, nowMs);
    if (this.#state === 'ALIVE') await this.#claim(view, nowMs);
  }

  /** Any worker may write the death of another: the condition is what makes it true. */
  async #sentence(view: FleetView, nowMs: number): Promise<void> {
    const { store, config, clock, logger, workerId } = this.#options;
    const dead = looksDead(this.#observations, nowMs, config.deathMs).filter((found) => found.workerId !== workerId);
    const living = view.leases.filter(({ state }) => state !== 'DEAD').length;
    if (isMassDeath(dead.length, living)) {
      logger.error('many workers look dead at once, none is declared dead', { count: dead.length });
      return;
    }
    for (const { workerId: deadWorker, heartbeat } of dead) {
      const lease = view.leases.find((found) => found.workerId === deadWorker);
      if (lease === undefined || !this.gate.isOpen()) continue;
      const outcome = await store.sentence({ ...lease, observedHeartbeat: heartbeat }, clock.nowMs());
      logger.warn('worker without heartbeat', { workerId: deadWorker, heartbeat, outcome });
    }
  }

  async #lead(view: FleetView, nowMs: number): Promise<void> {
    const { store, config, workerId, logger } = this.#options;
    const leader = view.leases.find((lease) => lease.workerId === view.leader);
    const isLed = leader !== undefined && leader.state === 'ALIVE';
    this.#leaderlessSinceMs = isLed ? undefined : (this.#leaderlessSinceMs ?? nowMs);
    if (view.leader !== workerId) this.#leadingSinceMs = undefined;
    if (!isLed && this.#state === 'ALIVE' && this.gate.isOpen()) {
      if ((await store.lead(workerId, view.leader)) === 'written') {
        this.#leadingSinceMs = nowMs;
        logger.info('leading', { workerId });
      }
      return;
    }
    if (view.leader !== workerId) return;
    this.#leadingSinceMs ??= nowMs;
    if (nowMs - this.#leadingSinceMs < SETTLE_HEARTBEATS * config.heartbeatMs || !this.gate.isOpen()) return;
    const assignments = plan(view);
    for (const lease of view.leases) {
      const next = assignments.get(lease.workerId);
      if (next !== undefined && !isSame(next, lease.assignment)) await store.assign(lease, next);
    }
  }

  /** A drain may begin while a claim is on its way. */
  #isDraining(): boolean {
    return this.#state === 'DRAINING';
  }

  async #claim(view: FleetView, nowMs: number): Promise<void> {
    const { store, config, workerId, logger, onClaimed } = this.#options;
    const alone = this.#leaderlessSinceMs !== undefined && nowMs - this.#leaderlessSinceMs >= config.orphanClaimMs;
    const own = view.leases.find((lease: LeaseView) => lease.workerId === workerId);
    const assigned = new Set([...this.#assignment, ...(own?.assignment ?? [])]);
    for (const orphan of orphansOf(view)) {
      if (this.#owned.has(orphan.shard) || !(assigned.has(orphan.shard) || alone) || !this.gate.isOpen()) continue;
      const epoch = await store.claim(orphan, workerId);
      if (epoch === 'lost') continue;
      if (this.#isDraining()) {
        await store.release(orphan.shard, workerId, epoch);
        continue;
      }
      this.#owned.set(orphan.shard, epoch);
      logger.info('shard claimed', { shard: orphan.shard, epoch });
      await onClaimed(orphan.shard, epoch);
    }
  }
}

function isSame(left: readonly number[], right: readonly number[]): boolean {
  return left.length === right.length && left.every((value, index) => value === right[index]);
}
