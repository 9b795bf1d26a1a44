import { createHash } from 'node:crypto';
import type { ConnectionId } from '../kernel/id.ts';

/**
 * The version of WhatsApp's client with which our sockets present themselves. WhatsApp refuses old ones (405), in
 * waves, and the remedy is a newer number: so it is configuration that an operator changes without a deploy, one item
 * in the Fleet table.
 *
 * current     the version that connections use; until an operator names one, the version that is vetted in the code
 * candidate   a newer version that a share of the connections, always the same ones, uses first
 * refused     versions that WhatsApp refused: no socket logs in with them until an operator names one of them again
 */
export interface VersionPlan {
  /** A number that grows with each change; 0 before the first. */
  readonly revision: number;
  /**
   * The version of all connections; undefined means the version that is vetted in the code. The same holds for
   * `previous`, once there was a change.
   */
  readonly current: string | undefined;
  readonly previous: string | undefined;
  readonly candidate: VersionCandidate | undefined;
  readonly refused: readonly string[];
  /** The latest changes, newest first. */
  readonly changes: readonly VersionChange[];
}

export interface VersionCandidate {
  readonly version: string;
  /** The share of the connections that use it, in percent. */
  readonly percent: number;
}

export interface VersionChange {
  readonly atMs: number;
  /** The operator who asked for the change; `breaker` is the fleet itself. */
  readonly by: string;
  readonly kind: 'set' | 'canary' | 'rolled_back' | 'refused';
  /** The version that was set, rolled back or refused; undefined means the one that is vetted in the code. */
  readonly version: string | undefined;
}

/** The default of the pinned Baileys release; a test holds the two together. */
export const VETTED_VERSION = '2.3000.1043857760';
/** Three numbers, as WhatsApp Web shows them. */
export const VERSION_FORMAT = /^\d{1,3}\.\d{1,5}\.\d{1,12}$/;
export const BREAKER = 'breaker';
const KEPT_CHANGES = 20;
const KEPT_REFUSED = 20;

export const noVersionPlan: VersionPlan = {
  revision: 0,
  current: undefined,
  previous: undefined,
  candidate: undefined,
  refused: [],
  changes: [],
};

/** The person or part that changes a plan, and the time. */
interface Author {
  readonly by: string;
  readonly atMs: number;
}

/**
 * The version that a connection uses. It is always the same for the same plan, and a connection that uses the candidate
 * goes on to do so when its share grows.
 * @param vetted the version to use until an operator names one
 */
export function versionFor(plan: VersionPlan, vetted: string, connectionId: ConnectionId): string {
  const { candidate, current } = plan;
  if (candidate !== undefined && placeOf(connectionId) < candidate.percent) return candidate.version;
  return current ?? vetted;
}

/** The place of a connection among all, from 0 to under 100. */
function placeOf(connectionId: ConnectionId): number {
  return (createHash('sha256').update(connectionId).digest().readUInt32BE() / 2 ** 32) * 100;
}

/**
 * Sets a version for all (100 percent), or for a share of the connections first. A version that WhatsApp had refused is
 * tried again. Returns `already_current` for a candidate that all connections use anyway.
 */
export function setVersion(
  plan: VersionPlan,
  asked: VersionCandidate,
  vetted: string,
  { by, atMs }: Author,
): VersionPlan | 'already_current' {
  const { version, percent } = asked;
  const isCurrent = version === (plan.current ?? vetted);
  const next = { ...plan, refused: plan.refused.filter((refused) => refused !== version) };
  if (percent < 100) {
    if (isCurrent) return 'already_current';
    return changed({ ...next, candidate: asked }, { by, atMs, kind: 'canary', version });
  }
  return changed(
    { ...next, current: version, previous: isCurrent ? plan.previous : plan.current, candidate: undefined },
    { by, atMs, kind: 'set', version },
  );
}

/**
 * Takes the candidate back, or else the last change of the version for all. A version that had been refused is tried
 * again.
 */
export function rollBack(plan: VersionPlan, { by, atMs }: Author): VersionPlan | 'nothing_to_roll_back' {
  const { candidate, current, previous } = plan;
  if (candidate !== undefined) {
    return changed({ ...plan, candidate: undefined }, { by, atMs, kind: 'rolled_back', version: candidate.version });
  }
  if (current === undefined && previous === undefined) return 'nothing_to_roll_back';
  return changed(
    { ...plan, current: previous, previous: current, refused: plan.refused.filter((refused) => refused !== previous) },
    { by, atMs, kind: 'rolled_back', version: current },
  );
}

/**
 * Notes that WhatsApp refuses a version. A candidate is taken back by that; a version for all stays, and no socket logs
 * in with it.
 */
export function refuseVersion(plan: VersionPlan, version: string, atMs: number): VersionPlan {
  if (plan.refused.includes(version)) return plan;
  const refused = [...plan.refused, version].slice(-KEPT_REFUSED);
  const noted = changed({ ...plan, refused }, { by: BREAKER, atMs, kind: 'refused', version });
  if (plan.candidate?.version !== version) return noted;
  return changed({ ...noted, candidate: undefined }, { by: BREAKER, atMs, kind: 'rolled_back', version });
}

function changed(plan: VersionPlan, change: VersionChange): VersionPlan {
  return { ...plan, revision: plan.revision + 1, changes: [change, ...plan.changes].slice(0, KEPT_CHANGES) };
}
