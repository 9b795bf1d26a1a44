import { z } from 'zod';

const milliseconds = (fallback: number) => z.coerce.number().int().positive().default(fallback);

/**
 * The limits from which on the worker's own supervisor judges a connection unwell (docs/lifecycle.md, "Evidence"), each
 * in milliseconds, with its default. With the defaults each symptom of a socket is found, and the connection open
 * again, within two minutes: limit, one look, close, first delay, open.
 */
export const livenessSettings = {
  /** The time between two looks at all connections; 15 s when left out. */
  HOLDFAST_SUPERVISE_EVERY_MS: milliseconds(15_000),
  /** How long a socket may be without a frame before it is asked for a sign of life; 30 s when left out. */
  HOLDFAST_PROBE_AFTER_MS: milliseconds(30_000),
  /**
   * How long a runner may work on one input; 100 s when left out, longer than its two longest steps together: closing a
   * socket, and opening one once it has its turn.
   */
  HOLDFAST_RUNNER_BUSY_LIMIT_MS: milliseconds(100_000),
  /** How long a socket may take from the open WebSocket to `<success>`; 60 s when left out. */
  HOLDFAST_SUCCESS_WITHIN_MS: milliseconds(60_000),
  /** How long an open socket may be without a frame; 60 s when left out. */
  HOLDFAST_SILENCE_LIMIT_MS: milliseconds(60_000),
  /**
   * How long a stanza may be first in line; 50 s when left out, a little longer than a stanza may take by its own
   * deadline.
   */
  HOLDFAST_UNHANDLED_LIMIT_MS: milliseconds(50_000),
  /** How long a send may be unacknowledged; 60 s when left out, longer than one send may take by its own deadlines. */
  HOLDFAST_UNACKNOWLEDGED_LIMIT_MS: milliseconds(60_000),
  /** How long the lock of an address may be held; 60 s when left out. */
  HOLDFAST_LOCK_LIMIT_MS: milliseconds(60_000),
} as const;

type Settings = { readonly [Name in keyof typeof livenessSettings]: number };

export interface LivenessConfig {
  readonly superviseEveryMs: number;
  readonly probeAfterMs: number;
  /** The limits in the form of `LivenessLimits` (shared/connection/liveness.ts). */
  readonly limits: {
    readonly runnerBusyMs: number;
    readonly openingMs: number;
    readonly lastFrameMs: number;
    readonly unhandledMs: number;
    readonly unacknowledgedMs: number;
    readonly lockMs: number;
  };
}

/** The configuration from the settings. */
export function toLiveness(value: Settings): LivenessConfig {
  return {
    superviseEveryMs: value.HOLDFAST_SUPERVISE_EVERY_MS,
    probeAfterMs: value.HOLDFAST_PROBE_AFTER_MS,
    limits: {
      runnerBusyMs: value.HOLDFAST_RUNNER_BUSY_LIMIT_MS,
      openingMs: value.HOLDFAST_SUCCESS_WITHIN_MS,
      lastFrameMs: value.HOLDFAST_SILENCE_LIMIT_MS,
      unhandledMs: value.HOLDFAST_UNHANDLED_LIMIT_MS,
      unacknowledgedMs: value.HOLDFAST_UNACKNOWLEDGED_LIMIT_MS,
      lockMs: value.HOLDFAST_LOCK_LIMIT_MS,
    },
  };
}
