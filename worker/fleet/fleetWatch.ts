import type { LeaseName } from '../../shared/fleet/fleetTable.ts';
import type { FleetView, Orders } from '../../shared/fleet/fleetView.ts';
import { withDeadline } from '../../shared/kernel/deadline.ts';
import type { WorkerId } from '../../shared/kernel/id.ts';
import type { OwnershipConfig } from '../../shared/platform/ownershipConfig.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
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
import type { FleetStore } from './fleetStore.ts';
import type { CommitGate } from './gate.ts';
import { attends, isLed, type Leader } from './leader.ts';

export interface FleetWatchDependencies extends Pick<Surroundings, 'clock' | 'logger' | 'metrics'> {
  readonly store: FleetStore;
  readonly config: OwnershipConfig;
  readonly shardCount: number;
  readonly own: LeaseName;
  readonly gate: CommitGate;
  readonly leader: Leader;
  readonly isDraining: () => boolean;
  /** Called when this worker's own lease was read and is dead or gone. */
  readonly onOwnDeath: () => void;
  /**
   * Called after a look at the whole fleet: with the shards to act on, and with the orders that this worker gave itself
   * if it leads.
   */
  readonly onView: (view: FleetView, orders: Orders | undefined, claims: 'ordered' | 'all') => Promise<void>;
}

/**
 * Looks at the other workers. Leader and deputy read the whole fleet, find deaths and keep the plan going; every other
 * worker reads who leads and whether leader and deputy are well, and stands in when neither is (docs/protocol.md,
 * "Leader").
 */
export class FleetWatch {
  readonly #dependencies: FleetWatchDependencies;
  #attends = false;
  /** Observations of every look: whether leader and deputy are well. */
  #leaders: Observations | undefined;
  /**
   * Observations of looks at the whole fleet. A worker that sees only two others cannot tell one death from many, so it
   * declares nobody dead.
   */
  #observations: Observations | undefined;
  #brake: Brake = 'released';

  constructor(dependencies: FleetWatchDependencies) {
    this.#dependencies = dependencies;
  }

  /** Whether this worker holds declarations of death back because many workers look dead to it at once. */
  get isBraking(): boolean {
    const { clock, config } = this.#dependencies;
    return brakeHolds(this.#brake, clock.monotonicMs(), config.brakeMs);
  }

  /** Milliseconds until the next look. */
  get pauseMs(): number {
    const { config, leader } = this.#dependencies;
    if (!this.#attends) return config.heartbeatMs;
    return leader.isBusy ? config.leaderReadMs / 2 : config.leaderReadMs;
  }

  /** Looks once. Throws when the store does not answer. */
  async look(): Promise<void> {
    if (!this.#attends) await this.#lookAtLeader();
    if (this.#attends) await this.#lookAtFleet();
  }

  async #lookAtLeader(): Promise<void> {
    const { store, clock, own, leader } = this.#dependencies;
    const seen = await this.#reading('reading who leads', () => store.readLeadership());
    const nowMs = clock.monotonicMs();
    const quiet = this.#quiet(seen, nowMs);
    leader.noteLeader(isLed(seen, quiet), nowMs);
    this.#attends = attends(own.workerId, seen, quiet);
  }

  async #lookAtFleet(): Promise<void> {
    const { store, clock, config, shardCount, own, leader, isDraining, onOwnDeath, onView } = this.#dependencies;
    const view = await this.#reading('reading the fleet', () => store.read(shardCount));
    const nowMs = clock.monotonicMs();
    const mine = view.leases.find(({ workerId }) => workerId === own.workerId);
    // This read counts as much as the answer of a heartbeat. A worker that went on would take its own shards for
    // orphans.
    if (mine === undefined || mine.state === 'DEAD') {
      onOwnDeath();
      return;
    }
    const quiet = this.#quiet(view, nowMs);
    const silent = this.#observe(view, nowMs);
    await this.#declareDead(view, silent, nowMs);
    let orders: Orders | undefined;
    if (!isDraining()) orders = await leader.look(view, idsOf(silent), nowMs);
    const isAlone = leader.leaderlessMs(nowMs) >= config.orphanClaimMs;
    await onView(view, orders, isAlone ? 'all' : 'ordered');
    this.#attends = attends(own.workerId, view, quiet) || orders !== undefined;
  }

  /**
   * Workers that showed no heartbeat for half the time of a death: early enough to look at the whole fleet before it is
   * certain.
   */
  #quiet({ leases }: Pick<FleetView, 'leases'>, nowMs: number): ReadonlySet<WorkerId> {
    const { config, own } = this.#dependencies;
    this.#leaders = observe(this.#leaders, leases, nowMs, config.deathMs);
    const found = findSilent(this.#leaders, config.deathMs / 2);
    return idsOf(found.filter(({ workerId }) => workerId !== own.workerId));
  }

  #observe({ leases }: Pick<FleetView, 'leases'>, nowMs: number): readonly SilentWorker[] {
    const { config, own } = this.#dependencies;
    this.#observations = observe(this.#observations, leases, nowMs, config.deathMs);
    return findSilent(this.#observations, config.deathMs).filter(({ workerId }) => workerId !== own.workerId);
  }

  /**
   * Declares silent workers dead. Any worker may write the death of another: the condition of the write makes it true.
   */
  async #declareDead(view: FleetView, silent: readonly SilentWorker[], nowMs: number): Promise<void> {
    const { store, config, clock, logger, metrics, gate } = this.#dependencies;
    const fleet = this.#observations === undefined ? noFleet : countSilent(this.#observations, config);
    this.#brake = brake(this.#brake, fleet, nowMs, config.brakeMs);
    metrics.gauge('BrakeActive', this.isBraking ? 1 : 0, {});
    if (this.isBraking) {
      logger.error('many workers look dead at once, none is declared dead for now', { count: fleet.dead });
      return;
    }
    for (const { workerId: deadWorker, heartbeat } of silent) {
      const lease = view.leases.find((found) => found.workerId === deadWorker);
      if (lease === undefined || !gate.isOpen()) continue;
      const outcome = await store.declareDead({ ...lease, observedHeartbeat: heartbeat }, clock.nowMs());
      if (outcome === 'dead') metrics.count('WorkersDead', { proof: 'observed' });
      logger.warn('worker without heartbeat', { workerId: deadWorker, heartbeat, outcome });
    }
  }

  #reading<Answer>(what: string, read: () => Promise<Answer>): Promise<Answer> {
    const { config, clock } = this.#dependencies;
    return withDeadline(what, config.heartbeatTimeoutMs * 4, read, clock);
  }
}

const noFleet = { dead: 0, living: 0 };

function idsOf(silent: readonly SilentWorker[]): ReadonlySet<WorkerId> {
  return new Set(silent.map(({ workerId }) => workerId));
}
