import type { LeaseName } from '../../shared/fleet/fleetTable.ts';
import type { LeaseView, WorkerLoad } from '../../shared/fleet/fleetView.ts';
import { withDeadline } from '../../shared/kernel/deadline.ts';
import type { OwnershipConfig } from '../../shared/platform/ownershipConfig.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { FleetStore } from './fleetStore.ts';
import { LeaseGate, readClocks, type ClockReading } from './gate.ts';

export interface LeaseKeeperDependencies extends Surroundings {
  readonly store: FleetStore;
  readonly config: OwnershipConfig;
  readonly own: LeaseName;
  readonly load: () => Omit<WorkerLoad, 'suspendedMs'>;
  readonly expecting: () => readonly number[];
  /** Called with the lease that each heartbeat brings, and with it the orders of the leader and of operators. */
  readonly onLease: (lease: LeaseView) => void;
  /** Called at most once, when the lease is dead or gone. */
  readonly onFenced: () => void;
}

const JITTER = 0.1;
/** How much faster heartbeats follow each other after a failure, and while draining. */
const HASTE = 5;

/**
 * Keeps this worker's lease: one heartbeat after another, with nothing else in the loop that could delay them. The gate
 * counts from when a heartbeat that was acknowledged was sent.
 */
export class LeaseKeeper {
  readonly gate: LeaseGate;
  readonly #dependencies: LeaseKeeperDependencies;
  readonly #stopping = new AbortController();
  #state: 'ALIVE' | 'DRAINING' = 'ALIVE';
  #fenced = false;
  #suspendedMs = 0;
  #last: Promise<unknown> = Promise.resolve();
  #pause = new AbortController();
  #loops: Promise<unknown> = Promise.resolve();

  /** @param sent the clocks before the write that made the lease was sent */
  constructor(dependencies: LeaseKeeperDependencies, sent: ClockReading) {
    this.#dependencies = dependencies;
    this.gate = new LeaseGate(dependencies.clock, dependencies.config.fenceMs, sent);
  }

  get isDraining(): boolean {
    return this.#state === 'DRAINING';
  }

  get isFenced(): boolean {
    return this.#fenced;
  }

  start(): void {
    this.#loops = Promise.all([this.#keepBeating(), this.#watchGate()]);
  }

  /** Ends the heartbeats and leaves the lease as it is. Resolves when nothing is on its way. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#pause.abort();
    await this.#loops;
  }

  /**
   * Makes the lease say that this worker drains, with a heartbeat at once. Rejects when that one fails; others follow.
   */
  drain(): Promise<void> {
    this.#state = 'DRAINING';
    return this.beat();
  }

  /** Ends the pause between two heartbeats. */
  hurry(): void {
    this.#pause.abort();
  }

  /** Sends one heartbeat. Heartbeats take turns: a late ALIVE must not undo the DRAINING that was written after it. */
  beat(): Promise<void> {
    const renewed = this.#last.then(() => this.#renew());
    this.#last = renewed.catch(() => undefined);
    return renewed;
  }

  /** Ends everything because the lease is dead or gone: nothing may be written any more. */
  fence(): void {
    this.gate.fence();
    if (this.#fenced || this.#stopping.signal.aborted) return;
    this.#fenced = true;
    this.#stopping.abort();
    this.#pause.abort();
    this.#dependencies.logger.error('worker lease is dead', { workerId: this.#dependencies.own.workerId });
    this.#dependencies.onFenced();
  }

  async #keepBeating(): Promise<void> {
    const { clock, random, config, logger, metrics } = this.#dependencies;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      this.#pause = new AbortController();
      let isHasty = this.isDraining;
      try {
        await this.beat();
      } catch (error) {
        isHasty = true;
        metrics.count('HeartbeatMissed', {});
        logger.warn('heartbeat was not answered', { error });
      }
      const jitter = 1 - JITTER + 2 * JITTER * random.unit();
      const pauseMs = (config.heartbeatMs / (isHasty ? HASTE : 1)) * jitter;
      if (!signal.aborted) await clock.sleep(pauseMs, this.#pause.signal);
    }
  }

  async #renew(): Promise<void> {
    const { store, own, clock, config, metrics, load, expecting, onLease } = this.#dependencies;
    if (this.#fenced) return;
    const sent = readClocks(clock);
    const beat = {
      state: this.#state,
      load: { ...load(), suspendedMs: Math.round(this.#suspendedMs) },
      expecting: expecting(),
    };
    const answer = await withDeadline(
      'a heartbeat',
      config.heartbeatTimeoutMs * 2,
      () => store.heartbeat(own, beat, sent.wallMs),
      clock,
    );
    if (answer === 'fenced') {
      this.fence();
      return;
    }
    metrics.measure('HeartbeatLatency', clock.monotonicMs() - sent.monotonicMs, {});
    this.gate.acknowledge(sent);
    if (!this.#fenced) onLease(answer);
  }

  /** Logs when the gate closes and when it opens again. The gate itself needs nobody to close it. */
  async #watchGate(): Promise<void> {
    const { clock, logger, metrics } = this.#dependencies;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await clock.sleep(this.gate.timeLeftMs(), signal);
      if (signal.aborted || this.gate.isOpen()) continue;
      const sinceMs = clock.monotonicMs();
      logger.warn('suspended: no heartbeat was acknowledged in time');
      while (!signal.aborted && !this.gate.isOpen()) {
        await this.gate.whenOpen(1_000).catch(() => undefined);
      }
      const durationMs = clock.monotonicMs() - sinceMs;
      this.#suspendedMs += durationMs;
      metrics.measure('SuspendedDuration', durationMs, {});
      if (!signal.aborted) logger.warn('resumed', { durationMs: Math.round(durationMs) });
    }
  }
}
