import type { Clock } from '../../shared/kernel/clock.ts';
import { withDeadline } from '../../shared/kernel/deadline.ts';
import type { WorkerId } from '../../shared/kernel/id.ts';
import type { Random } from '../../shared/kernel/random.ts';
import type { OwnershipConfig } from '../../shared/platform/config.ts';
import type { Logger } from '../../shared/platform/logger.ts';
import {
  brake,
  brakeHolds,
  countSilent,
  findSilent,
  observe,
  type Brake,
  type Observations,
  type SilentWorker,
} from './deathObserver.ts';
import type { FleetStore, LeaseName } from './fleetStore.ts';
import { orphansOf, type FleetView } from './fleetView.ts';
import { GateClosedError, LeaseGate, readClocks, type CommitGate } from './gate.ts';
import { Leadership } from './leader.ts';

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
  /** A shard is ours. When it rejects, the shard is given up again. */
  readonly onClaimed: (shard: number, epoch: number) => Promise<void>;
  /** A shard that was ours has another owner or epoch, although our lease lives: nothing more may be done with it. */
  readonly onLost?: (shard: number) => Promise<void>;
  /** The lease is dead or gone: stop everything, write nothing more. Called at most once. */
  readonly onFenced: () => void;
}

export interface FleetMember {
  readonly gate: CommitGate;
  /** Shards that are ours now, each with its epoch. */
  readonly ownedShards: () => ReadonlyMap<number, number>;
  /**
   * Gives every shard up, each after `beforeRelease`, then ends the lease and closes the gate for ever. Rejects past its
   * deadline, when a `beforeRelease` does, and with {@link GateClosedError} when the worker is fenced; the lease then stays.
   */
  readonly drain: (options: { readonly beforeRelease: (shard: number) => Promise<void> }) => Promise<void>;
  /** Stops the loops and leaves the lease as it is, as a crash would. */
  readonly stop: () => Promise<void>;
}

const JITTER = 0.1;

/** Makes the lease and joins. Throws when the store does not take the lease. */
export async function startFleetMember(options: FleetMemberOptions): Promise<FleetMember> {
  const sent = readClocks(options.clock);
  await options.store.createLease({ taskId: options.taskId, workerId: options.workerId });
  const member = new Member(options, new LeaseGate(options.clock, options.config.fenceMs, sent));
  member.start();
  return member;
}

class Member implements FleetMember {
  readonly gate: LeaseGate;
  readonly #options: FleetMemberOptions;
  readonly #lease: LeaseName;
  readonly #leadership: Leadership;
  readonly #owned = new Map<number, number>();
  readonly #stopping = new AbortController();
  #state: 'ALIVE' | 'DRAINING' = 'ALIVE';
  #fenced = false;
  #assignment: readonly number[] = [];
  #observations: Observations | undefined;
  #brake: Brake = 'released';
  #lastHeartbeat: Promise<unknown> = Promise.resolve();
  #loops: Promise<unknown> = Promise.resolve();

  constructor(options: FleetMemberOptions, gate: LeaseGate) {
    this.#options = options;
    this.gate = gate;
    this.#lease = { taskId: options.taskId, workerId: options.workerId };
    this.#leadership = new Leadership({ ...options, own: this.#lease, gate });
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
    const { store, clock, config, logger } = this.#options;
    this.#state = 'DRAINING';
    const startedMs = clock.monotonicMs();
    logger.info('drain started', { shards: this.#owned.size });
    await withDeadline('draining the worker', config.drainTimeoutMs, async (signal) => {
      // At once, so that nobody plans for this worker any more. The heartbeat loop says it again.
      await this.#heartbeat().catch((error: unknown) => logger.warn('drain was not announced', { error }));
      const released = [...this.#owned].map(async ([shard, epoch]) => {
        await beforeRelease(shard);
        await this.#release(shard, epoch, signal);
      });
      const failed = (await Promise.allSettled(released)).find(({ status }) => status === 'rejected');
      if (failed?.status === 'rejected') throw failed.reason;
      await this.stop();
      if (this.#fenced) throw new GateClosedError();
      this.gate.fence();
      await store.finishLease(this.#lease, clock.nowMs());
    });
    logger.info('drain finished', { durationMs: Math.round(clock.monotonicMs() - startedMs) });
  }

  /** Gives one shard up, however often the store must be asked. Throws when the worker stops or the signal aborts. */
  async #release(shard: number, epoch: number, signal: AbortSignal): Promise<void> {
    const { store, clock, config, workerId, logger } = this.#options;
    for (;;) {
      signal.throwIfAborted();
      // Without heartbeats the gate does not open again. Fenced workers have stopped, too.
      if (this.#stopping.signal.aborted) throw new GateClosedError();
      try {
        this.gate.assertOpen();
        // Refused means that an earlier try was taken although its answer was lost: nobody else may change our row.
        const outcome = await store.release(shard, workerId, epoch);
        this.#owned.delete(shard);
        logger.info('shard released', { shard, epoch, outcome });
        return;
      } catch (error) {
        logger.warn('shard not released yet', { shard, epoch, error });
        await clock.sleep(config.heartbeatTimeoutMs, AbortSignal.any([signal, this.#stopping.signal]));
      }
    }
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

  /** One at a time: a late ALIVE must not undo the DRAINING that was written after it. */
  #heartbeat(): Promise<void> {
    const renewed = this.#lastHeartbeat.then(() => this.#renew());
    this.#lastHeartbeat = renewed.catch(() => undefined);
    return renewed;
  }

  async #renew(): Promise<void> {
    const { store, clock, config } = this.#options;
    if (this.#fenced) return;
    const sent = readClocks(clock);
    const answer = await withDeadline('a heartbeat', config.heartbeatTimeoutMs * 2, () =>
      store.heartbeat(this.#lease, this.#state),
    );
    if (answer === 'fenced') this.#fence();
    else {
      this.gate.acknowledge(sent);
      this.#assignment = answer.assignment;
    }
  }

  #fence(): void {
    this.gate.fence();
    if (this.#fenced || this.#stopping.signal.aborted) return;
    this.#fenced = true;
    this.#stopping.abort();
    this.#owned.clear();
    this.#options.logger.error('worker lease is dead', { workerId: this.#lease.workerId });
    this.#options.onFenced();
  }

  async #observe(): Promise<void> {
    const { store, clock, config, shardCount } = this.#options;
    const view = await withDeadline('reading the fleet', config.heartbeatTimeoutMs * 4, () => store.read(shardCount));
    const nowMs = clock.monotonicMs();
    const own = view.leases.find(({ workerId }) => workerId === this.#lease.workerId);
    // As good as the answer of a heartbeat. Who went on would take its own shards for orphans.
    if (own === undefined || own.state === 'DEAD') {
      this.#fence();
      return;
    }
    this.#observations = observe(this.#observations, view.leases, nowMs, config.deathMs);
    const silent = findSilent(this.#observations, config.deathMs).filter((found) => found.workerId !== own.workerId);
    await this.#sentence(view, this.#observations, silent);
    if (this.#state !== 'ALIVE') return;
    await this.#reconcile(view);
    const planned = await this.#leadership.tick(view, new Set(silent.map(({ workerId }) => workerId)), nowMs);
    const alone = this.#leadership.leaderlessMs(nowMs) >= config.orphanClaimMs;
    // The assignment comes with the heartbeat; this read may already show a newer one.
    await this.#claim(view, alone ? 'all' : new Set([...planned, ...this.#assignment, ...own.assignment]));
  }

  /** Any worker may write the death of another: the condition is what makes it true. */
  async #sentence(view: FleetView, observations: Observations, silent: readonly SilentWorker[]): Promise<void> {
    const { store, config, clock, logger } = this.#options;
    const fleet = countSilent(observations, config);
    this.#brake = brake(this.#brake, fleet, observations.readAtMs);
    if (brakeHolds(this.#brake, observations.readAtMs)) {
      logger.error('many workers look dead at once, none is declared dead for now', { count: fleet.dead });
      return;
    }
    for (const { workerId: deadWorker, heartbeat } of silent) {
      const lease = view.leases.find((found) => found.workerId === deadWorker);
      if (lease === undefined || !this.gate.isOpen()) continue;
      const outcome = await store.sentence({ ...lease, observedHeartbeat: heartbeat }, clock.nowMs());
      logger.warn('worker without heartbeat', { workerId: deadWorker, heartbeat, outcome });
    }
  }

  /**
   * Brings what we believe to own in line with the rows. A claim may have been taken although its answer was lost; only
   * this worker writes its own name, so such a shard is ours.
   */
  async #reconcile(view: FleetView): Promise<void> {
    const { workerId, logger, onLost } = this.#options;
    for (const { shard, owner, epoch } of view.shards) {
      const mine = this.#owned.get(shard);
      if (mine !== undefined && (owner !== workerId || epoch !== mine)) {
        this.#owned.delete(shard);
        logger.error('owned shard has another owner', { shard, epoch: mine, owner });
        await onLost?.(shard);
      }
      if (owner === workerId && this.#owned.get(shard) === undefined) await this.#take(shard, epoch);
    }
  }

  async #claim(view: FleetView, assigned: ReadonlySet<number> | 'all'): Promise<void> {
    for (const orphan of orphansOf(view)) {
      const wanted = assigned === 'all' || assigned.has(orphan.shard);
      if (!wanted || this.#stopping.signal.aborted || this.#isDraining() || !this.gate.isOpen()) continue;
      const epoch = await this.#options.store.claim(orphan, this.#lease);
      if (epoch !== 'lost') await this.#take(orphan.shard, epoch);
    }
  }

  /** A shard's row names this worker: begins its work, or gives it back when that cannot begin any more. */
  async #take(shard: number, epoch: number): Promise<void> {
    const { store, workerId, logger, onClaimed } = this.#options;
    if (this.#fenced) return;
    if (!this.#isDraining()) {
      this.#owned.set(shard, epoch);
      logger.info('shard claimed', { shard, epoch });
      try {
        await onClaimed(shard, epoch);
        return;
      } catch (error) {
        logger.error('work of a claimed shard did not begin', { shard, epoch, error });
        this.#owned.delete(shard);
      }
    }
    this.gate.assertOpen();
    await store.release(shard, workerId, epoch);
  }

  /** A drain may begin while a claim is on its way. */
  #isDraining(): boolean {
    return this.#state === 'DRAINING';
  }
}
