import {
  symptomOf,
  type ConnectionVitals,
  type LivenessLimits,
  type Symptom,
} from '../../shared/connection/liveness.ts';
import type { WorkerDigest } from '../../shared/connection/workerDigest.ts';
import type { FleetView, LeaseView } from '../../shared/fleet/fleetView.ts';
import type { WorkerId } from '../../shared/kernel/id.ts';
import type { WatchdogRules } from '../../shared/platform/watchdogConfig.ts';
import type { Sighting, WatchdogMemory } from './watchdogMemory.ts';

/** The digests of the workers. This file compares what one run sees with what was seen before; it is pure. */
export type Digests = ReadonlyMap<WorkerId, WorkerDigest>;

export interface BadConnection {
  readonly vitals: ConnectionVitals;
  readonly symptom: Symptom;
  readonly lease: LeaseView;
  readonly epoch: number;
  /** The number of the digest that shows it. */
  readonly digest: number;
}

export interface Seen {
  readonly sightings: Readonly<Record<WorkerId, Sighting>>;
  /** Workers whose lease lives and whose heartbeat does not change. */
  readonly silent: readonly LeaseView[];
  /** Workers whose heartbeat changes and whose digest does not. */
  readonly mute: readonly LeaseView[];
  readonly bad: readonly BadConnection[];
  /** Shards that a new digest of their owner covers in full: a connection that is not bad there is well. */
  readonly coveredShards: ReadonlySet<number>;
  /** Workers with a new digest. */
  readonly reportingWorkers: ReadonlySet<WorkerId>;
  readonly isBraking: boolean;
}

/** The number of missed runs after which a lease or digest that did not move meanwhile proves nothing. */
const MISSED_RUNS = 3;
/** The number of heartbeat periods after which a heartbeat is late. */
const LATE_HEARTBEATS = 3;
/** The brake of the workers (docs/protocol.md, "Death"), and a similar one for connections. */
const BRAKE_SHARE = 5;
const BRAKE_WORKERS = 3;
const BRAKE_CONNECTIONS = 10;

/**
 * Compares leases and digests with the memory.
 * @param nowMs the wall clock of the watchdog; clocks of workers are compared neither with each other nor with this one
 */
export function look(
  memory: WatchdogMemory,
  fleet: FleetView,
  digests: Digests,
  nowMs: number,
  rules: WatchdogRules,
): Seen {
  const gapMs = nowMs - memory.ranAtMs;
  const before = gapMs >= 0 && gapMs <= MISSED_RUNS * rules.everyMs ? memory.workers : {};
  const living = fleet.leases.filter(({ state }) => state !== 'DEAD');
  const sightings: Record<WorkerId, Sighting> = {};
  const [silent, mute, reporting]: [LeaseView[], LeaseView[], LeaseView[]] = [[], [], []];
  for (const lease of living) {
    const known = before[lease.workerId];
    const sighting = sight(known, lease.heartbeat, digests.get(lease.workerId)?.number, nowMs);
    sightings[lease.workerId] = sighting;
    const isSilent = nowMs - sighting.heartbeatSinceMs >= LATE_HEARTBEATS * rules.heartbeatMs;
    // The digest must be the same twice after its first sighting: a clock that was set forward is no reason.
    const isMute = nowMs - sighting.digestSinceMs >= rules.staleMs && sighting.sameDigestRuns >= 2;
    if (known !== undefined && isSilent) silent.push(lease);
    else if (sighting.digest !== undefined && isMute) mute.push(lease);
    else if (sighting.digest !== undefined && sighting.digest !== memory.workers[lease.workerId]?.digest) {
      reporting.push(lease);
    }
  }
  const connections = judgeConnections(fleet, reporting, digests, rules);
  return {
    sightings,
    silent,
    mute,
    ...connections,
    reportingWorkers: new Set(reporting.map(({ workerId }) => workerId)),
    isBraking:
      isMass(silent.length + mute.length, living.length, BRAKE_WORKERS) ||
      isMass(connections.badCount, connections.online, BRAKE_CONNECTIONS),
  };
}

function isMass(bad: number, all: number, least: number): boolean {
  return bad >= least && bad * BRAKE_SHARE > all;
}

function sight(known: Sighting | undefined, heartbeat: number, digest: number | undefined, nowMs: number): Sighting {
  const isSameHeartbeat = known?.heartbeat === heartbeat;
  const isSameDigest = known !== undefined && known.digest === digest;
  return {
    heartbeat,
    heartbeatSinceMs: isSameHeartbeat ? known.heartbeatSinceMs : nowMs,
    ...(digest === undefined ? {} : { digest }),
    digestSinceMs: isSameDigest ? known.digestSinceMs : nowMs,
    sameDigestRuns: isSameDigest ? known.sameDigestRuns + 1 : 0,
  };
}

/**
 * Finds the bad connections. A digest counts only for shards that its worker owns at present. A worker that drains
 * hands everything off in any case.
 */
function judgeConnections(fleet: FleetView, reporting: readonly LeaseView[], digests: Digests, rules: WatchdogRules) {
  const bad: BadConnection[] = [];
  const coveredShards = new Set<number>();
  let [badCount, online] = [0, 0];
  for (const lease of reporting) {
    const digest = digests.get(lease.workerId);
    for (const report of digest?.shards ?? []) {
      const row = fleet.shards[report.shard];
      if (digest === undefined || row?.owner !== lease.workerId || row.epoch !== report.epoch) continue;
      online += report.online;
      const unwell = report.suspects.flatMap((vitals): readonly BadConnection[] => {
        const symptom = symptomOf(vitals, limitsOf(rules));
        return symptom === undefined ? [] : [{ vitals, symptom, lease, epoch: report.epoch, digest: digest.number }];
      });
      const isCut = report.suspected > report.suspects.length;
      // When all connections that are named are bad, the ones for which the digest had no room may be bad, too.
      badCount += isCut && unwell.length === report.suspects.length ? report.suspected : unwell.length;
      if (!isCut) coveredShards.add(report.shard);
      if (lease.state === 'ALIVE') bad.push(...unwell);
    }
  }
  return { bad, coveredShards, badCount, online };
}

function limitsOf({ staleMs, connectingMs }: WatchdogRules): LivenessLimits {
  return {
    runnerBusyMs: staleMs,
    openingMs: connectingMs,
    lastFrameMs: staleMs,
    unhandledMs: staleMs,
    unacknowledgedMs: staleMs,
    lockMs: staleMs,
  };
}
