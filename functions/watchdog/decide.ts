import type { FleetView, HandOffRequest, LeaseView } from '../../shared/fleet/fleetView.ts';
import type { ConnectionId, TenantId, WorkerId } from '../../shared/kernel/id.ts';
import type { WatchdogRules } from '../../shared/platform/watchdogConfig.ts';
import { restMs, rungOf, type LadderName, type Rung } from './ladders.ts';
import { look, type BadConnection, type Digests, type Seen } from './sightings.ts';
import { STEPS_KEPT, type Climb, type RecordedStep, type WatchdogMemory } from './watchdogMemory.ts';

/** One action of the watchdog. */
export interface WatchdogStep {
  readonly rung: Rung;
  readonly attempt: number;
  readonly reason: RecordedStep['reason'];
  readonly lease: LeaseView;
  /** The connection that the step is for; undefined when it is for the worker as a whole. */
  readonly connection:
    { readonly tenantId: TenantId; readonly connectionId: ConnectionId; readonly shard: number } | undefined;
}

/** The requests that should stand on a lease instead of the present ones. */
export interface RequestChange {
  readonly lease: LeaseView;
  readonly requests: readonly HandOffRequest[];
}

export interface Decision {
  readonly memory: WatchdogMemory;
  readonly steps: readonly WatchdogStep[];
  readonly requestChanges: readonly RequestChange[];
  readonly isBraking: boolean;
}

/** A digest may have been made just before the last step, so that only the second one after it shows the effect. */
const DIGESTS_AFTER_STEP = 2;
const GOOD_DIGESTS = 2;
/** How long a climb is remembered without news of its subject, in milliseconds. */
const FORGOTTEN_MS = 86_400_000;

/**
 * Decides what the watchdog does in one run (docs/lifecycle.md, "Watchdog"). The function is pure.
 *
 *   connection   bad in a new digest of its owner        restart × 2, hand-off × 3, then stop the owner's task
 *   mute         heartbeats come, digests do not         drain, then stop the task
 *   silent       no heartbeat since the last run         confirm the death within the run
 *
 * Each of them gets one rung in a run, and the next only after the last had its time. Not more than one worker is
 * drained or stopped in a run. While the brake holds nobody gets more than a restart, and steps that are held back do
 * not count.
 */
export function decide(
  memory: WatchdogMemory,
  fleet: FleetView,
  digests: Digests,
  nowMs: number,
  rules: WatchdogRules,
): Decision {
  const seen = look(memory, fleet, digests, nowMs, rules);
  const run: Run = { memory, seen, nowMs, rules, steps: [] };
  const silentWorkers = climbWorkers(run, 'silent', memory.silentWorkers);
  const muteWorkers = climbWorkers(run, 'mute', memory.muteWorkers);
  const connections = climbConnections(run);
  const { steps } = run;
  const stops = steps.some(({ rung, connection }) => rung === 'stop_task' && connection !== undefined);
  const stoppedForConnectionAtMs = stops ? nowMs : memory.stoppedForConnectionAtMs;
  return {
    memory: {
      ranAtMs: nowMs,
      isBraking: seen.isBraking,
      workers: seen.sightings,
      connections,
      muteWorkers,
      silentWorkers,
      ...(stoppedForConnectionAtMs === undefined ? {} : { stoppedForConnectionAtMs }),
      steps: [...memory.steps, ...steps.map((step) => toRecord(step, nowMs))].slice(-STEPS_KEPT),
    },
    steps,
    requestChanges: changeRequests(fleet, connections, steps, seen),
    isBraking: seen.isBraking,
  };
}

/** One run: what it knows, and the steps that it has taken so far. */
interface Run {
  readonly memory: WatchdogMemory;
  readonly seen: Seen;
  readonly nowMs: number;
  readonly rules: WatchdogRules;
  readonly steps: WatchdogStep[];
}

function climbWorkers(
  run: Run,
  ladder: 'silent' | 'mute',
  before: Readonly<Record<WorkerId, Climb>>,
): Record<WorkerId, Climb> {
  const { seen, nowMs } = run;
  const isBad = new Set(seen[ladder].map(({ workerId }) => workerId));
  const after: Record<string, Climb> = {};
  for (const [workerId, climbed] of Object.entries(before)) {
    const isThere = seen.sightings[workerId as WorkerId] !== undefined;
    const kept = rested(climbed, seen.reportingWorkers.has(workerId as WorkerId), 0, nowMs);
    if (isThere && !isBad.has(workerId as WorkerId) && kept !== undefined) after[workerId] = kept;
  }
  for (const lease of seen[ladder]) {
    const digest = seen.sightings[lease.workerId]?.digest ?? 0;
    const known = before[lease.workerId];
    const attempt = (known?.attempts ?? 0) + 1;
    const step = { rung: rungOf(ladder, attempt), attempt, reason: ladder, lease, connection: undefined };
    after[lease.workerId] = climb(run, known, { workerId: lease.workerId, digest, shard: 0 }, ladder, step);
  }
  return after;
}

function climbConnections(run: Run): Record<ConnectionId, Climb> {
  const { memory, seen, nowMs, rules } = run;
  const isBad = new Set(seen.bad.map(({ vitals }) => vitals.connectionId));
  const after: Record<string, Climb> = {};
  for (const [connectionId, climbed] of Object.entries(memory.connections)) {
    const kept = rested(climbed, seen.coveredShards.has(climbed.shard), rules.recoveredMs, nowMs);
    if (!isBad.has(connectionId as ConnectionId) && kept !== undefined) after[connectionId] = kept;
  }
  for (const { vitals, lease, symptom, digest } of seen.bad) {
    const { tenantId, connectionId, shard } = vitals;
    const before = memory.connections[connectionId];
    const attempt = (before?.attempts ?? 0) + 1;
    const connection = { tenantId, connectionId, shard };
    const step = { rung: rungOf('connection', attempt), attempt, reason: symptom, lease, connection };
    after[connectionId] = climb(run, before, { workerId: lease.workerId, digest, shard }, 'connection', step);
  }
  return after;
}

/** Takes the next step if it may be taken now. */
function climb(
  run: Run,
  before: Climb | undefined,
  found: Pick<Climb, 'workerId' | 'digest' | 'shard'>,
  ladder: LadderName,
  step: WatchdogStep,
): Climb {
  const { nowMs } = run;
  const known = before ?? { ...found, attempts: 0, steppedAtMs: nowMs, badAtMs: nowMs, goodDigests: 0 };
  const stays = { ...known, shard: found.shard, badAtMs: nowMs, goodDigests: 0 };
  if (!isDue(run, before, found, ladder) || !isAllowed(run, step)) return stays;
  run.steps.push(step);
  return { ...stays, ...found, attempts: step.attempt, steppedAtMs: nowMs };
}

/** Whether the last step had its time and shows no effect. */
function isDue(
  { nowMs, rules }: Run,
  before: Climb | undefined,
  { workerId, digest }: Pick<Climb, 'workerId' | 'digest'>,
  ladder: LadderName,
): boolean {
  if (before === undefined || before.attempts === 0) return true;
  if (nowMs - before.steppedAtMs < restMs(ladder, before.attempts, rules)) return false;
  // A worker is mute because no digest comes, so no later digest is waited for.
  if (ladder !== 'connection') return true;
  return workerId !== before.workerId || digest >= before.digest + DIGESTS_AFTER_STEP;
}

function isAllowed({ memory, seen, nowMs, rules, steps }: Run, { rung, connection }: WatchdogStep): boolean {
  if (rung === 'restart') return true;
  if (seen.isBraking) return false;
  if (rung !== 'drain' && rung !== 'stop_task') return true;
  if (steps.some((step) => step.rung === 'drain' || step.rung === 'stop_task')) return false;
  const stoppedAtMs = memory.stoppedForConnectionAtMs ?? -Infinity;
  return connection === undefined || nowMs - stoppedAtMs >= rules.stopEveryMs;
}

/**
 * The climb of a worker or connection that does not look bad now; undefined when it is well again, or when there was no
 * news of it for long.
 */
function rested(climb: Climb, hasNews: boolean, recoveredMs: number, nowMs: number): Climb | undefined {
  const wellMs = nowMs - Math.max(climb.badAtMs, climb.steppedAtMs);
  const goodDigests = climb.goodDigests + (hasNews ? 1 : 0);
  const isWell = goodDigests >= GOOD_DIGESTS && wellMs >= recoveredMs;
  return isWell || wellMs >= FORGOTTEN_MS ? undefined : { ...climb, goodDigests };
}

/**
 * The hand-off requests that change. A request ends when its shard has left the worker, or when no connection there is
 * bad any more.
 */
function changeRequests(
  { leases, shards }: FleetView,
  climbs: Readonly<Record<ConnectionId, Climb>>,
  steps: readonly WatchdogStep[],
  { bad }: Pick<Seen, 'bad'>,
): readonly RequestChange[] {
  const troubled = new Set(Object.values(climbs).map(({ shard }) => shard));
  return leases
    .filter(({ state }) => state === 'ALIVE')
    .flatMap((lease): readonly RequestChange[] => {
      const standing = lease.handOffs.filter(({ shard, epoch }) => {
        const row = shards[shard];
        return row?.owner === lease.workerId && row.epoch === epoch && troubled.has(shard);
      });
      const requested = new Map(standing.map(({ shard, epoch }) => [shard, epoch]));
      for (const { rung, connection, lease: owner } of steps) {
        if (rung !== 'hand_off' || owner.workerId !== lease.workerId || connection === undefined) continue;
        requested.set(connection.shard, epochOf(bad, connection.connectionId));
      }
      const requests = [...requested].map(([shard, epoch]) => ({ shard, epoch }));
      return isSame(requests, lease.handOffs) ? [] : [{ lease, requests }];
    });
}

function isSame(left: readonly HandOffRequest[], right: readonly HandOffRequest[]): boolean {
  const has = ({ shard, epoch }: HandOffRequest): boolean =>
    right.some((other) => other.shard === shard && other.epoch === epoch);
  return left.length === right.length && left.every(has);
}

function epochOf(bad: readonly BadConnection[], connectionId: ConnectionId): number {
  return bad.find(({ vitals }) => vitals.connectionId === connectionId)?.epoch ?? 0;
}

function toRecord({ rung, attempt, reason, lease, connection }: WatchdogStep, atMs: number): RecordedStep {
  return { atMs, rung, attempt, reason, workerId: lease.workerId, ...connection, outcome: 'unknown' };
}
