import type { WorkerId } from '../../shared/kernel/id.ts';
import type { OwnershipConfig } from '../../shared/platform/config.ts';
import type { Logger } from '../../shared/platform/logger.ts';
import type { FleetStore, LeaseName } from './fleetStore.ts';
import type { FleetView } from './fleetView.ts';
import type { CommitGate } from './gate.ts';
import { plan } from './planner.ts';

/** Heartbeats that a worker has been here before it plans, so that workers which start together are all seen. */
const SETTLE_HEARTBEATS = 1.8;

export interface LeadershipDependencies {
  readonly store: FleetStore;
  readonly config: OwnershipConfig;
  readonly own: LeaseName;
  readonly gate: CommitGate;
  readonly logger: Logger;
}

/**
 * Whether somebody who is ALIVE and not silent leads. A leader that drains is replaced: it cannot claim what it would plan.
 * So is a silent one that the brake keeps from being declared dead: others' proven deaths must not wait for it.
 */
export function isLed({ leader, leases }: FleetView, silent: ReadonlySet<WorkerId>): boolean {
  return leases.some(({ workerId, state }) => workerId === leader && state === 'ALIVE' && !silent.has(workerId));
}

/**
 * This worker's part in leading. It stands for election when nobody alive leads, and while it leads it plans at each tick.
 * Two who believe that they lead do no harm: a plan only proposes, and a claim is a conditional write.
 */
export class Leadership {
  readonly #dependencies: LeadershipDependencies;
  #joinedMs: number | undefined;
  #leaderlessSinceMs: number | undefined;

  constructor(dependencies: LeadershipDependencies) {
    this.#dependencies = dependencies;
  }

  /** Milliseconds for which no leader has been seen; 0 while there is one. */
  leaderlessMs(nowMs: number): number {
    return this.#leaderlessSinceMs === undefined ? 0 : nowMs - this.#leaderlessSinceMs;
  }

  /**
   * One tick on one consistent read; `silent` are those who showed no heartbeat for the time of a death. Returns what this worker itself should claim by its own plan; nothing when another
   * leads. Throws when the store does not answer.
   */
  async tick(view: FleetView, silent: ReadonlySet<WorkerId>, nowMs: number): Promise<readonly number[]> {
    const { store, config, own, gate, logger } = this.#dependencies;
    const led = isLed(view, silent);
    this.#joinedMs ??= nowMs;
    this.#leaderlessSinceMs = led ? undefined : (this.#leaderlessSinceMs ?? nowMs);
    if (!gate.isOpen()) return [];
    if (!led) {
      if ((await store.lead(own, view.leader)) === 'refused') return [];
      logger.info('leading', { workerId: own.workerId });
    } else if (view.leader !== own.workerId) return [];
    if (nowMs - this.#joinedMs < SETTLE_HEARTBEATS * config.heartbeatMs) return [];
    return this.#plan(view, silent);
  }

  async #plan(view: FleetView, silent: ReadonlySet<WorkerId>): Promise<readonly number[]> {
    const { store, own, gate } = this.#dependencies;
    const assignments = plan(view, silent);
    for (const lease of view.leases) {
      const next = assignments.get(lease.workerId);
      if (next === undefined || isSame(next, lease.assignment)) continue;
      if (!gate.isOpen()) return [];
      await store.assign(lease, next);
    }
    return assignments.get(own.workerId) ?? [];
  }
}

function isSame(left: readonly number[], right: readonly number[]): boolean {
  return left.length === right.length && left.every((value, index) => value === right[index]);
}
