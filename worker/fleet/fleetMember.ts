import type { LeaseName } from '../../shared/fleet/fleetTable.ts';
import type { FleetView, LeaseView, Orders, WorkerLoad } from '../../shared/fleet/fleetView.ts';
import { withDeadline } from '../../shared/kernel/deadline.ts';
import type { OwnershipConfig } from '../../shared/platform/ownershipConfig.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { FleetStore, NewLease } from './fleetStore.ts';
import { FleetWatch } from './fleetWatch.ts';
import { GateClosedError, readClocks, type ClockReading, type CommitGate } from './gate.ts';
import { Leader } from './leader.ts';
import { LeaseKeeper } from './leaseKeeper.ts';
import { ShardKeeper, type ShardCallbacks } from './shardKeeper.ts';

/**
 * This worker as a member of the fleet (docs/protocol.md). It has three loops, apart so that nothing delays a
 * heartbeat:
 *
 * LeaseKeeper   heartbeats → gate, orders of the leader, fence
 * FleetWatch    looks at the others → deaths, leader, plan
 * ShardKeeper   looks at rows → claim, take, give, release, lose
 *
 * Four statements hold at every moment (test/simulation checks them at every step):
 * 1. a shard has one owner, named in its row; each change of owner raises the epoch
 * 2. a worker acts for a shard only between having read its own name there and the write that ends its ownership
 * 3. and only while its gate is open: less than F since it sent the last heartbeat that was acknowledged
 * 4. another worker claims only from an owner whose lease is DEAD or missing, and DEAD is written only about a
 * heartbeat number that was seen unchanged for D > F, or when the process is known to be gone
 */
export interface FleetMemberOptions extends Surroundings, ShardCallbacks {
  readonly store: FleetStore;
  readonly config: OwnershipConfig;
  readonly shardCount: number;
  readonly lease: NewLease;
  readonly load: () => Omit<WorkerLoad, 'suspendedMs' | 'braking'>;
  /** Called with the orders that each heartbeat brings: among them this worker's share of the fleet's opens. */
  readonly onOrders: (orders: Orders) => void;
  /**
   * Called when an operator asked this worker to drain, or when it is its turn to be replaced. May be called again and
   * again.
   */
  readonly onDrainRequested: (why: 'operator' | 'recycle') => void;
  /** Called at most once, when the lease is dead or gone: the caller stops everything and writes nothing more. */
  readonly onFenced: () => void;
}

export interface FleetMember {
  readonly gate: CommitGate;
  /** Shards that this worker owns now, each with its epoch. */
  readonly ownedShards: () => ReadonlyMap<number, number>;
  /**
   * Gives every shard to others, or releases it when there are none, then ends the lease and closes the gate for ever.
   * Rejects past its deadline, and with {@link GateClosedError} when the worker is fenced; the lease then stays.
   */
  readonly drain: () => Promise<void>;
  /** Stops the loops and leaves the lease as it is, as a crash would. */
  readonly stop: () => Promise<void>;
}

const JITTER = 0.1;
/** The share of the drain time after which shards that no other worker took are released. */
const RELEASE_AFTER = 0.75;
const DRAIN_LOOK_MS = 1_000;

/** Makes the lease and joins the fleet. Throws when the store does not accept the lease. */
export async function startFleetMember(options: FleetMemberOptions): Promise<FleetMember> {
  const sent = readClocks(options.clock);
  await options.store.createLease(options.lease, sent.wallMs);
  const member = new Member(options, sent);
  member.start();
  return member;
}

class Member implements FleetMember {
  readonly #options: FleetMemberOptions;
  readonly #own: LeaseName;
  readonly #lease: LeaseKeeper;
  readonly #shards: ShardKeeper;
  readonly #watch: FleetWatch;
  readonly #stopping = new AbortController();
  #loop: Promise<void> = Promise.resolve();

  constructor(options: FleetMemberOptions, sent: ClockReading) {
    const { workerId, taskId } = options.lease;
    this.#options = options;
    this.#own = { workerId, taskId };
    this.#lease = new LeaseKeeper(
      {
        ...options,
        own: this.#own,
        load: () => ({ ...options.load(), braking: this.#watch.isBraking }),
        expecting: () => this.#shards.expecting(),
        onLease: (lease) => this.#onLease(lease),
        onFenced: () => this.#onFenced(),
      },
      sent,
    );
    const isDraining = (): boolean => this.#lease.isDraining;
    const common = { ...options, own: this.#own, gate: this.#lease.gate, isDraining };
    this.#shards = new ShardKeeper({ ...common, onExpecting: () => this.#lease.hurry() });
    this.#watch = new FleetWatch({
      ...common,
      leader: new Leader(common),
      onOwnDeath: () => this.#lease.fence(),
      onView: (view, orders, claims) => this.#onView(view, orders, claims),
    });
  }

  get gate(): CommitGate {
    return this.#lease.gate;
  }

  start(): void {
    this.#lease.start();
    this.#shards.start();
    this.#loop = this.#keepLooking();
  }

  ownedShards(): ReadonlyMap<number, number> {
    return this.#shards.owned();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([this.#lease.stop(), this.#shards.stop(), this.#loop]);
  }

  async drain(): Promise<void> {
    const { store, clock, config, logger, metrics } = this.#options;
    const startedMs = clock.monotonicMs();
    logger.info('drain started', { shards: this.#shards.owned().size });
    // The lease says DRAINING at once, so that nobody plans for this worker any more. The heartbeat loop repeats it.
    await this.#lease.drain().catch((error: unknown) => logger.warn('drain was not announced', { error }));
    await withDeadline('draining the worker', config.drainTimeoutMs, (late) => this.#giveAll(startedMs, late), clock);
    if (this.#lease.isFenced || this.#shards.owned().size > 0) throw new GateClosedError();
    await this.stop();
    // This worker owns no shard any more: its last write says so, and then nobody has to wait for a death.
    this.#lease.gate.fence();
    await store.finishLease(this.#own, clock.nowMs());
    const durationMs = Math.round(clock.monotonicMs() - startedMs);
    metrics.count('WorkersDead', { proof: 'clean' });
    metrics.measure('DrainDuration', durationMs, {});
    logger.info('drain finished', { durationMs });
  }

  /** Resolves when no shard is left, or at once when the worker is stopped or fenced. */
  async #giveAll(startedMs: number, late: AbortSignal): Promise<void> {
    const { store, shardCount, clock, config, logger } = this.#options;
    const pauseMs = Math.min(DRAIN_LOOK_MS, config.heartbeatMs);
    while (this.#shards.owned().size > 0 && !this.#stopping.signal.aborted && !late.aborted) {
      try {
        const read = (): Promise<FleetView> => store.read(shardCount);
        const view = await withDeadline('reading the fleet', config.heartbeatTimeoutMs * 4, read, clock);
        await this.#shards.tend(view);
        const isAnybodyThere = view.leases.some(
          ({ state, workerId }) => state === 'ALIVE' && workerId !== this.#own.workerId,
        );
        const isLate = clock.monotonicMs() - startedMs >= config.drainTimeoutMs * RELEASE_AFTER;
        if (!isAnybodyThere || isLate) this.#shards.releaseAll();
      } catch (error) {
        logger.warn('fleet store did not answer', { operation: 'drain', error });
      }
      await clock.sleep(pauseMs, AbortSignal.any([late, this.#stopping.signal]));
    }
  }

  #onLease(lease: LeaseView): void {
    this.#options.onOrders(lease.orders);
    this.#shards.follow(lease.orders);
    if (this.#lease.isDraining) return;
    if (lease.drainRequested) this.#options.onDrainRequested('operator');
    else if (lease.orders.recycle) this.#options.onDrainRequested('recycle');
  }

  async #onView(view: FleetView, orders: Orders | undefined, claims: 'ordered' | 'all'): Promise<void> {
    // The worker's own orders come with the next heartbeat too, but a leader need not wait for that.
    if (orders !== undefined) this.#shards.follow(orders);
    await this.#shards.tend(view, claims);
  }

  #onFenced(): void {
    this.#stopping.abort();
    void this.#shards.stop();
    this.#shards.forgetAll();
    this.#options.onFenced();
  }

  async #keepLooking(): Promise<void> {
    const { clock, random, logger } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.#watch.look();
      } catch (error) {
        logger.warn('fleet store did not answer', { operation: 'fleet observation', error });
      }
      const jitter = 1 - JITTER + 2 * JITTER * random.unit();
      await clock.sleep(this.#watch.pauseMs * jitter, signal);
    }
  }
}
