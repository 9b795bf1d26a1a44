import type { LeaseName } from '../../shared/fleet/fleetTable.ts';
import { noOrders, type FleetView, type LeaseView, type Orders, type ShardView } from '../../shared/fleet/fleetView.ts';
import { withDeadline } from '../../shared/kernel/deadline.ts';
import type { OwnershipConfig } from '../../shared/platform/ownershipConfig.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { FleetStore } from './fleetStore.ts';
import { GateClosedError, type CommitGate } from './gate.ts';
import { decideShard } from './shardDecision.ts';

/** What the worker does when its shards come and go. */
export interface ShardCallbacks {
  /**
   * Called when a shard has become this worker's: it begins the shard's work. When it rejects, the shard is released
   * again.
   */
  readonly onClaimed: (shard: number, epoch: number) => Promise<void>;
  /** Called when a shard is to leave: it ends all its work, sockets included. A rejection here is not survivable. */
  readonly onLeaving: (shard: number) => Promise<void>;
  /**
   * Called when a shard that was this worker's has another owner or epoch, although the lease lives: nothing more may
   * be done with it.
   */
  readonly onLost: (shard: number) => Promise<void>;
  /** Called when the work of a shard did not end: sockets may still be open, so the process must end. */
  readonly onBroken: (error: unknown) => void;
}

export interface ShardKeeperDependencies extends Pick<Surroundings, 'clock' | 'logger' | 'metrics'>, ShardCallbacks {
  readonly store: FleetStore;
  readonly config: OwnershipConfig;
  readonly own: LeaseName;
  readonly gate: CommitGate;
  readonly isDraining: () => boolean;
  /** Called when the shards that this worker watches have changed: the next heartbeat is to say so, at once. */
  readonly onExpecting: () => void;
}

/**
 * The number of heartbeats after which all held rows are read, in case somebody changed one by hand: about once a
 * minute.
 */
const CHECK_HEARTBEATS = 12;

/** An offer is made within a look after the heartbeat on which it relies, and stands for one deadline. */
const LINGER_GIVE_DEADLINES = 2;

interface Held {
  readonly epoch: number;
  /**
   * Whether the shard's work is beginning, has begun, or is ending. A shard that leaves is let alone until it has left.
   */
  readonly phase: 'starting' | 'held' | 'leaving';
}

/**
 * The shards of this worker: it claims, takes, gives and releases them, each by one conditional write. A give, step by
 * step:
 *
 * leader               row of the shard          owner                       target
 * │  orders: expect         │                    │                            │
 * ├─────────────────────────┼────────────────────┼──────────────────────────▶ │ watches the row, each 200 ms,
 * │ ◀───────────────────────┼────────────────────┼──── heartbeat: expecting ──┤ and says so
 * ├─ next = target ───────▶ │                    │                            │
 * │  orders: give           │                    │                            │
 * ├─────────────────────────┼──────────────────▶ │ long polls run out, sends  │
 * │                         │                    │ finish, sockets close      │
 * │                         │ ◀── owner = next, ─┤                            │
 * │                         │     epoch + 1      │                            │
 * │                         ├────────────────────┼── reads its own name ────▶ │ begins to work
 *
 * Nothing is closed before the target watches, so the gap is a close, a write, a look and a login. Past its deadline
 * the
 * leader takes `next` back; the owner's write is then refused, and the owner begins the shard's work again.
 */
export class ShardKeeper {
  readonly #dependencies: ShardKeeperDependencies;
  readonly #held = new Map<number, Held>();
  readonly #stopping = new AbortController();
  /**
   * Shards that may be this worker's without its knowledge, for example when the answer of a claim was lost: the row
   * decides.
   */
  readonly #unsure = new Set<number>();
  /**
   * Shards that this worker was told to watch and is not any more, each with the time until which it watches all the same:
   * the leader may have read of the watching before, and its offer stands for a while.
   */
  readonly #lingering = new Map<number, number>();
  /** The highest epoch known of each shard: reads overtake each other, and an older one says nothing. */
  readonly #newest = new Map<number, number>();
  #orders: Orders = noOrders;
  #idle = new AbortController();
  #loop: Promise<void> = Promise.resolve();

  constructor(dependencies: ShardKeeperDependencies) {
    this.#dependencies = dependencies;
  }

  start(): void {
    this.#loop = this.#keepWatching();
  }

  /** Ends the watching of rows. The work of shards goes on until its owner ends it. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#idle.abort();
    await this.#loop;
  }

  /** Forgets all shards at once, because the lease is lost. */
  forgetAll(): void {
    this.#held.clear();
  }

  /** Shards that this worker owns now, each with its epoch. */
  owned(): ReadonlyMap<number, number> {
    return new Map([...this.#held].map(([shard, { epoch }]) => [shard, epoch]));
  }

  /** Shards whose rows are watched because they are to come. */
  expecting(): readonly number[] {
    return this.#orders.expect.filter((shard) => !this.#held.has(shard));
  }

  /** Takes over the leader's newest orders. */
  follow(orders: Orders): void {
    const before = this.#orders;
    this.#orders = orders;
    if (orders.expect.some((shard) => !before.expect.includes(shard))) this.#dependencies.onExpecting();
    // An order that is gone may have been fulfilled in the meantime, by this worker or for it.
    const gone = [...before.expect, ...before.claim].filter((shard) => !this.#isOrdered(shard));
    for (const shard of gone) if (!this.#held.has(shard)) this.#unsure.add(shard);
    const { clock, config } = this.#dependencies;
    const untilMs = clock.monotonicMs() + LINGER_GIVE_DEADLINES * config.giveDeadlineMs;
    for (const shard of before.expect) if (!this.#isOrdered(shard)) this.#lingering.set(shard, untilMs);
    if (this.#watched().length > 0) this.#idle.abort();
  }

  /**
   * Acts on a consistent read of some rows and of the leases that they name.
   * @param claims which orphans to claim: the ordered ones, or any
   */
  async tend(view: Pick<FleetView, 'leases' | 'shards'>, claims: 'ordered' | 'all' = 'ordered'): Promise<void> {
    const { own, isDraining } = this.#dependencies;
    for (const row of view.shards) {
      if (this.#stopping.signal.aborted) return;
      const held = this.#held.get(row.shard);
      const isStale = row.epoch < (this.#newest.get(row.shard) ?? 0);
      if (isStale || (held !== undefined && held.phase !== 'held')) continue;
      this.#newest.set(row.shard, row.epoch);
      const mayClaim = !isDraining() && (claims === 'all' || this.#orders.claim.includes(row.shard));
      const decided = decideShard(row, view, { me: own.workerId, epoch: held?.epoch, mayClaim });
      if (decided.decision !== 'take') this.#unsure.delete(row.shard);
      if (decided.decision === 'take') await this.#take(row.shard, decided.epoch);
      else if (decided.decision === 'lose') await this.#lose(row, held?.epoch);
      else if (decided.decision === 'claim') await this.#claim(row);
      else if (decided.decision === 'give') this.#leave(row, decided.to);
    }
  }

  /** Releases every shard that is not on its way to another worker, when there is no worker to give it to. */
  releaseAll(): void {
    const { own } = this.#dependencies;
    for (const [shard, { epoch, phase }] of this.#held) {
      if (phase === 'held') this.#leave({ shard, epoch, owner: own.workerId, next: undefined }, undefined);
    }
  }

  #isOrdered(shard: number): boolean {
    return this.#orders.expect.includes(shard) || this.#orders.claim.includes(shard);
  }

  /**
   * Rows that are worth a look now. A shard that leaves is not among them, because the loop that makes it leave reads
   * its row.
   */
  #watched(): readonly number[] {
    const { claim, give } = this.#orders;
    const nowMs = this.#dependencies.clock.monotonicMs();
    for (const [shard, untilMs] of this.#lingering) {
      if (nowMs >= untilMs || this.#held.has(shard)) this.#lingering.delete(shard);
    }
    const coming = [...claim, ...this.expecting(), ...this.#lingering.keys()].filter((shard) => !this.#held.has(shard));
    const shards = [...coming, ...give, ...this.#unsure];
    return [...new Set(shards)].filter((shard) => (this.#held.get(shard)?.phase ?? 'held') === 'held');
  }

  async #keepWatching(): Promise<void> {
    const { store, clock, config, logger, gate } = this.#dependencies;
    const { signal } = this.#stopping;
    let checkedMs = clock.monotonicMs();
    while (!signal.aborted) {
      const isDue = clock.monotonicMs() - checkedMs >= CHECK_HEARTBEATS * config.heartbeatMs;
      if (isDue) checkedMs = clock.monotonicMs();
      const watched = isDue ? [...new Set([...this.#watched(), ...this.#held.keys()])] : this.#watched();
      this.#idle = new AbortController();
      if (watched.length === 0) {
        await clock.sleep(config.heartbeatMs, this.#idle.signal);
        continue;
      }
      try {
        await gate.whenOpen(config.deathMs);
        const read = (): ReturnType<FleetStore['readShards']> => store.readShards(watched);
        await this.tend(await withDeadline('reading shards', config.heartbeatTimeoutMs * 2, read, clock));
      } catch (error) {
        logger.warn('shards could not be looked after', { error });
      }
      await clock.sleep(config.watchMs, signal);
    }
  }

  async #claim(row: ShardView): Promise<void> {
    const { store, own, gate, config, clock, metrics } = this.#dependencies;
    if (!gate.isOpen()) return;
    this.#unsure.add(row.shard);
    const claim = (): ReturnType<FleetStore['claim']> => store.claim(row, own);
    const epoch = await withDeadline('claiming a shard', config.heartbeatTimeoutMs * 2, claim, clock);
    this.#unsure.delete(row.shard);
    metrics.count(epoch === 'lost' ? 'ClaimsLost' : 'ClaimsWon', {});
    if (epoch !== 'lost') metrics.count('ShardsMoved', { reason: 'orphan' });
    if (epoch !== 'lost') await this.#take(row.shard, epoch);
  }

  /**
   * Begins the work of a shard whose row names this worker, or gives the shard back when its work cannot begin any
   * more.
   */
  async #take(shard: number, epoch: number): Promise<void> {
    const { gate, logger, onClaimed, isDraining, own } = this.#dependencies;
    if (this.#stopping.signal.aborted) return;
    this.#newest.set(shard, epoch);
    if (!gate.isOpen()) {
      this.#unsure.add(shard);
      return;
    }
    this.#unsure.delete(shard);
    this.#held.set(shard, { epoch, phase: 'starting' });
    logger.info('shard claimed', { shard, epoch });
    try {
      await onClaimed(shard, epoch);
      this.#held.set(shard, { epoch, phase: 'held' });
    } catch (error) {
      logger.error('work of a claimed shard did not begin', { shard, epoch, error });
      this.#held.set(shard, { epoch, phase: 'held' });
      this.#leave({ shard, epoch, owner: own.workerId, next: undefined }, undefined);
      return;
    }
    // A drain may have begun while the claim was on its way; the drain looks again at the shards that are held.
    if (isDraining()) logger.info('shard came during the drain', { shard, epoch });
  }

  async #lose({ shard, owner }: ShardView, epoch: number | undefined): Promise<void> {
    this.#held.delete(shard);
    this.#dependencies.logger.error('owned shard has another owner', { shard, epoch, owner });
    await this.#dependencies.onLost(shard);
  }

  /**
   * Ends the work of a shard and then its ownership. This goes on beside other shards; a failure to end work breaks the
   * worker.
   */
  #leave(row: ShardView, to: LeaseView | undefined): void {
    const { onLeaving, onBroken, clock, metrics, logger } = this.#dependencies;
    const { shard, epoch } = row;
    this.#held.set(shard, { epoch, phase: 'leaving' });
    const startedMs = clock.monotonicMs();
    const leave = async (): Promise<void> => {
      await onLeaving(shard);
      const outcome = to === undefined ? await this.#release(row) : await this.#give(row, to);
      if (outcome === 'kept') {
        logger.warn('offer of a shard was withdrawn, its work goes on', { shard, epoch });
        this.#held.delete(shard);
        await this.#take(shard, epoch);
        return;
      }
      this.#held.delete(shard);
      this.#newest.set(shard, epoch + 1);
      const durationMs = Math.round(clock.monotonicMs() - startedMs);
      logger.info(to === undefined ? 'shard released' : 'shard given', {
        shard,
        epoch,
        durationMs,
        owner: to?.workerId,
      });
      if (to !== undefined) metrics.measure('HandOffDuration', durationMs, {});
    };
    leave().catch((error: unknown) => {
      // A worker without its lease has lost all its shards anyway.
      if (this.#stopping.signal.aborted) return;
      logger.error('shard did not leave', { shard, epoch, error });
      onBroken(error);
    });
  }

  /**
   * Gives a shard and asks until the answer is known. `kept`: the offer was withdrawn, and this worker still owns the
   * shard.
   */
  #give(row: ShardView, to: LeaseName): Promise<'gone' | 'kept'> {
    const { store } = this.#dependencies;
    return this.#untilKnown('giving a shard', async () => {
      if ((await store.give(row, to)) === 'written') return 'gone';
      // The write was refused: either an earlier try succeeded although its answer was lost, or the leader has
      // withdrawn the offer.
      const now = (await store.readShards([row.shard])).shards[0];
      return now?.owner === row.owner && now?.epoch === row.epoch ? 'kept' : 'gone';
    });
  }

  #release({ shard, epoch }: ShardView): Promise<'gone'> {
    const { store, own } = this.#dependencies;
    return this.#untilKnown<'gone'>('releasing a shard', async () => {
      // A refused write means that an earlier try succeeded although its answer was lost: no other worker may change
      // the row of an owner that lives.
      await store.release(shard, own.workerId, epoch);
      return 'gone';
    });
  }

  async #untilKnown<Result>(what: string, ask: () => Promise<Result>): Promise<Result> {
    const { clock, config, gate, logger } = this.#dependencies;
    for (;;) {
      // The gate does not open again without heartbeats.
      if (this.#stopping.signal.aborted) throw new GateClosedError();
      try {
        gate.assertOpen();
        return await withDeadline(what, config.heartbeatTimeoutMs * 2, ask, clock);
      } catch (error) {
        logger.warn('shard has not left yet', { operation: what, error });
        await clock.sleep(config.watchMs, this.#stopping.signal);
      }
    }
  }
}
