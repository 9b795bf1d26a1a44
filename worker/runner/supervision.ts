import {
  symptomAgeMs,
  symptomOf,
  type ConnectionVitals,
  type LivenessLimits,
  type SocketSymptom,
  type Symptom,
} from '../../shared/connection/liveness.ts';
import type { ConnectionId } from '../../shared/kernel/id.ts';

/**
 * The number of recycles for one symptom after which a connection that is still unwell is not helped by another socket
 * of this process.
 */
export const RECYCLES_WITHOUT_HELP = 3;
/** How long a recycle is remembered. */
export const REMEMBERED_MS = 600_000;
/**
 * The least number of unwell connections, which must also be more than half, from which on the fault is not the
 * worker's.
 */
const WIDESPREAD = 3;

/** A socket that was closed because it was open in name only. */
export interface Recycle {
  readonly connectionId: ConnectionId;
  readonly symptom: SocketSymptom;
  readonly atMs: number;
}

export interface SupervisionRules {
  readonly limits: LivenessLimits;
  readonly probeAfterMs: number;
  /** The greatest number of recycles in one look: as many as the open budget can open again until the next. */
  readonly mostRecycles: number;
}

/** Symptoms that end a process. */
export type ProcessSymptom = 'runner_stuck' | 'deaf' | 'sends_stuck';

export interface Judgement {
  /** Connections whose server is asked for a sign of life. */
  readonly probes: readonly ConnectionId[];
  /** Sockets to recycle, the longest unwell first. `forMs`: for how long the symptom has shown. */
  readonly recycles: readonly {
    readonly vitals: ConnectionVitals;
    readonly symptom: SocketSymptom;
    readonly forMs: number;
  }[];
  /** The reason why this process must end and its connections go to another; undefined when it need not. */
  readonly endsProcess: ProcessSymptom | undefined;
  readonly unwell: number;
}

/**
 * The remedy by symptom: what another process may cure where another socket did not. A server that is silent, or that
 * lets nobody in, is the same for the next process: workers that ended over it would take their healthy connections
 * round the fleet for nothing.
 */
const curedBy: Readonly<Record<Symptom, 'socket' | 'socket_then_process' | 'process'>> = {
  runner_stuck: 'process',
  never_success: 'socket',
  silent_server: 'socket',
  deaf: 'socket_then_process',
  sends_stuck: 'socket_then_process',
};

interface Finding {
  readonly vitals: ConnectionVitals;
  readonly symptom: Symptom;
  readonly forMs: number;
}

/**
 * Judges the connections of a worker. The function is pure. When most of them are unwell at once, WhatsApp or the
 * network is away: sockets are recycled at the pace of the open budget, and the process stays.
 * @param past recycles of the last {@link REMEMBERED_MS}
 */
export function judge(
  all: readonly ConnectionVitals[],
  past: readonly Recycle[],
  { limits, probeAfterMs, mostRecycles }: SupervisionRules,
): Judgement {
  const judged = all.filter(({ evidence, runnerBusyMs }) => evidence !== undefined || runnerBusyMs !== undefined);
  const findings = judged.flatMap((vitals): readonly Finding[] => {
    const symptom = symptomOf(vitals, limits);
    return symptom === undefined ? [] : [{ vitals, symptom, forMs: symptomAgeMs(vitals, symptom) }];
  });
  const isWidespread = findings.length >= WIDESPREAD && findings.length * 2 > judged.length;
  const unwell = new Set(findings.map(({ vitals }) => vitals.connectionId));
  return {
    probes: judged
      .filter(({ connectionId, evidence }) => !unwell.has(connectionId) && needsProbe(evidence, probeAfterMs))
      .map(({ connectionId }) => connectionId),
    recycles: findings
      .flatMap(({ symptom, ...finding }) => (symptom === 'runner_stuck' ? [] : [{ ...finding, symptom }]))
      .toSorted((a, b) => b.forMs - a.forMs)
      .slice(0, mostRecycles),
    endsProcess: isWidespread ? undefined : findings.map((finding) => endsProcess(finding, findings, past)).find(isSet),
    unwell: findings.length,
  };
}

function needsProbe(evidence: ConnectionVitals['evidence'], probeAfterMs: number): boolean {
  return evidence !== undefined && evidence.phase !== 'opening' && evidence.lastFrameMs > probeAfterMs;
}

/**
 * The symptom for which the process must end. One connection alone may be its own trouble; two with the same symptom
 * are the worker's.
 */
function endsProcess(
  { vitals, symptom }: Finding,
  findings: readonly Finding[],
  past: readonly Recycle[],
): ProcessSymptom | undefined {
  const cure = curedBy[symptom];
  if (cure === 'process') return symptom as ProcessSymptom;
  if (cure === 'socket') return undefined;
  const { connectionId } = vitals;
  const isSame = (other: { readonly symptom: Symptom }): boolean => other.symptom === symptom;
  const mine = past.filter((recycle) => recycle.connectionId === connectionId && isSame(recycle));
  const others = [
    ...past,
    ...findings.map((finding) => ({ connectionId: finding.vitals.connectionId, symptom: finding.symptom })),
  ].some((other) => other.connectionId !== connectionId && isSame(other));
  return mine.length >= RECYCLES_WITHOUT_HELP && others ? (symptom as ProcessSymptom) : undefined;
}

function isSet<Value>(value: Value | undefined): value is Value {
  return value !== undefined;
}
