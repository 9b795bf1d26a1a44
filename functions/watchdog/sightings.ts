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

/** What one run sees, compared with what was seen before. Pure. */
export type Digests = ReadonlyMap<WorkerId, WorkerDigest>;

export interface BadConnection {
  readonly vitals: ConnectionVitals;
  readonly symptom: Symptom;
  readonly lease: LeaseView;
  readonly epoch: number;
  /** Number of the digest that shows it. */
  readonly digest: number;
}

export interface Seen {
  readonly sightings: Readonly<Record<WorkerId, Sighting>>;
  /** Lease lives, heartbeat does not change. */
  readonly silent: readonly LeaseView[];
  /** Heartbeat changes, digest does not. */
  readonly mute: readonly LeaseView[];
  readonly bad: readonly BadConnection[];
  /** Shards that a new digest of their owner tells all about: who is not bad there is well. */
  readonly toldShards: ReadonlySet<number>;
  /** Workers with a new digest. */
  readonly toldWorkers: ReadonlySet<WorkerId>;
  readonly isBraking: boolean;
}

/** Runs that were missed before the next says nothing about what did not move meanwhile. */
const MISSED_RUNS = 3;
/** A heartbeat that is this many of its periods old is late. */
const LATE_HEARTBEATS = 3;
/** The workers' own brake (docs/protocol.md, "Death"), and the like of it for connections. */
const BRAKE_SHARE = 5;
const BRAKE_WORKERS = 3;
const BRAKE_CONNECTIONS = 10;

/** Looks at leases and digests. `nowMs` is the wall clock; no two workers' clocks are compared, nor theirs with ours. */
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
  const [silent, mute, told]: [LeaseView[], LeaseView[], LeaseView[]] = [[], [], []];
  for (const lease of living) {
    const known = before[lease.workerId];
    const sighting = sight(known, lease.heartbeat, digests.get(lease.workerId)?.number, nowMs);
    sightings[lease.workerId] = sighting;
    const isSilent = nowMs - sighting.heartbeatSinceMs >= LATE_HEARTBEATS * rules.heartbeatMs;
    // Twice the same after a first sight: a clock that was set forward is no reason.
    const isMute = nowMs - sighting.digestSinceMs >= rules.staleMs && sighting.sameDigestRuns >= 2;
    if (known !== undefined && isSilent) silent.push(lease);
    else if (sighting.digest !== undefined && isMute) mute.push(lease);
    else if (sighting.digest !== undefined && sighting.digest !== memory.workers[lease.workerId]?.digest) {
      told.push(lease);
    }
  }
  const connections = judgeConnections(fleet, told, digests, rules);
  return {
    sightings,
    silent,
    mute,
    ...connections,
    toldWorkers: new Set(told.map(({ workerId }) => workerId)),
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

/** Only what the present owner says of a shard counts; who drains hands everything off in any case. */
function judgeConnections(fleet: FleetView, told: readonly LeaseView[], digests: Digests, rules: WatchdogRules) {
  const bad: BadConnection[] = [];
  const toldShards = new Set<number>();
  let [badCount, online] = [0, 0];
  for (const lease of told) {
    const digest = digests.get(lease.workerId);
    for (const said of digest?.shards ?? []) {
      const row = fleet.shards[said.shard];
      if (digest === undefined || row?.owner !== lease.workerId || row.epoch !== said.epoch) continue;
      online += said.online;
      const unwell = said.suspects.flatMap((vitals): readonly BadConnection[] => {
        const symptom = symptomOf(vitals, limitsOf(rules));
        return symptom === undefined ? [] : [{ vitals, symptom, lease, epoch: said.epoch, digest: digest.number }];
      });
      const isCut = said.suspected > said.suspects.length;
      // When all who are named are bad, those for whom there was no room may be, too.
      badCount += isCut && unwell.length === said.suspects.length ? said.suspected : unwell.length;
      if (!isCut) toldShards.add(said.shard);
      if (lease.state === 'ALIVE') bad.push(...unwell);
    }
  }
  return { bad, toldShards, badCount, online };
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
