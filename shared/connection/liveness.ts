import type { ConnectionId, TenantId } from '../kernel/id.ts';

/**
 * The evidence of whether a connection lives: what it does, not what it last reported. The worker's own supervisor and
 * the watchdog outside it use it, each with limits of its own. All times are ages in milliseconds, measured on the
 * worker's monotonic clock, so that they can be compared elsewhere. No age is longer than the worker's gate has been
 * open: a suspended worker reads and sends nothing, so it knows nothing of the time before.
 */
export interface Evidence {
  /** `opening`: WhatsApp has not sent `<success>`. `pairing`: an offer waits for a person. */
  readonly phase: 'opening' | 'pairing' | 'open';
  /**
   * The age of the phase. `opening` counts from the open WebSocket, and is 0 before: the network has a deadline of its
   * own.
   */
  readonly phaseMs: number;
  /** The time since the last frame of WhatsApp; if none has come, since the socket was asked for. */
  readonly lastFrameMs: number;
  /** The time since the last stanza that was handled to its end; undefined before the first. */
  readonly lastHandledMs: number | undefined;
  /** The time since WhatsApp last acknowledged a send; undefined before the first. */
  readonly lastAckMs: number | undefined;
  /**
   * The time since the stanza that is first in line became the first, because it came or because the one before it was
   * handled to its end; undefined when none waits. So a long line that moves on is young, and one that stands still
   * grows old.
   */
  readonly oldestUnhandledMs: number | undefined;
  /**
   * The time since the oldest send without an answer was begun; undefined when there is none. A send that was given up
   * at its deadline counts until WhatsApp answers any other: the tries that follow it must not look like the first.
   */
  readonly oldestUnacknowledgedMs: number | undefined;
  /** The time for which the lock of an address has been held, for the longest one; undefined when none is held. */
  readonly oldestLockMs: number | undefined;
}

/** One connection that a worker owns. */
export interface ConnectionVitals {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
  readonly shard: number;
  /** For how long its runner has been at the present input; undefined when its mailbox is empty. */
  readonly runnerBusyMs: number | undefined;
  /** The evidence of its socket; undefined when it has none. */
  readonly evidence: Evidence | undefined;
}

/** The symptoms of a connection that does not work although its status says that all is well. */
export const symptoms = ['runner_stuck', 'never_success', 'silent_server', 'deaf', 'sends_stuck'] as const;
export type Symptom = (typeof symptoms)[number];
/** The symptoms of a socket, which another socket cures. */
export type SocketSymptom = Exclude<Symptom, 'runner_stuck'>;

/** The ages in milliseconds from which on they are symptoms. */
export interface LivenessLimits {
  readonly runnerBusyMs: number;
  readonly openingMs: number;
  readonly lastFrameMs: number;
  readonly unhandledMs: number;
  readonly unacknowledgedMs: number;
  readonly lockMs: number;
}

/**
 * The first of the symptoms that a connection shows, or undefined when it is well. A connection without a socket, or
 * one whose offer waits for a person, can only be stuck in its runner: the machine's timers cover the rest.
 */
export function symptomOf({ runnerBusyMs, evidence }: ConnectionVitals, limits: LivenessLimits): Symptom | undefined {
  if (isOver(runnerBusyMs, limits.runnerBusyMs)) return 'runner_stuck';
  if (evidence === undefined) return undefined;
  if (evidence.phase === 'opening') return isOver(evidence.phaseMs, limits.openingMs) ? 'never_success' : undefined;
  if (isOver(evidence.lastFrameMs, limits.lastFrameMs)) return 'silent_server';
  if (isOver(evidence.oldestUnhandledMs, limits.unhandledMs)) return 'deaf';
  if (isOver(evidence.oldestUnacknowledgedMs, limits.unacknowledgedMs)) return 'sends_stuck';
  // Sends and stanzas of that address wait for the lock; those of others do not, so neither age need be high yet.
  return isOver(evidence.oldestLockMs, limits.lockMs) ? 'sends_stuck' : undefined;
}

/** For how long a connection has shown a symptom, in milliseconds; 0 for one that it does not show. */
export function symptomAgeMs({ runnerBusyMs, evidence }: ConnectionVitals, symptom: Symptom): number {
  const ages: Readonly<Record<Symptom, number | undefined>> = {
    runner_stuck: runnerBusyMs,
    never_success: evidence?.phaseMs,
    silent_server: evidence?.lastFrameMs,
    deaf: evidence?.oldestUnhandledMs,
    sends_stuck: Math.max(evidence?.oldestUnacknowledgedMs ?? 0, evidence?.oldestLockMs ?? 0),
  };
  return ages[symptom] ?? 0;
}

function isOver(ageMs: number | undefined, limitMs: number): boolean {
  return ageMs !== undefined && ageMs > limitMs;
}
