import { z } from 'zod';

const milliseconds = (fallback: number) => z.coerce.number().int().positive().default(fallback);

/**
 * From when the worker's own supervisor takes a connection for unwell (docs/lifecycle.md, "Evidence"). With the defaults each symptom of a
 * socket is found, and the connection open again, within two minutes: limit, one look, close, first delay, open.
 */
export const livenessSettings = {
  HOLDFAST_SUPERVISE_EVERY_MS: milliseconds(15_000),
  /** A socket without a frame for this long is asked for a sign of life. */
  HOLDFAST_PROBE_AFTER_MS: milliseconds(30_000),
  /** Longer than the two longest steps of a runner together: closing a socket, and opening one once it has its turn. */
  HOLDFAST_RUNNER_BUSY_LIMIT_MS: milliseconds(100_000),
  /** From the open WebSocket to `<success>`. */
  HOLDFAST_SUCCESS_WITHIN_MS: milliseconds(60_000),
  HOLDFAST_SILENCE_LIMIT_MS: milliseconds(60_000),
  /** A little longer than a stanza may take by its own deadline. */
  HOLDFAST_UNHANDLED_LIMIT_MS: milliseconds(50_000),
  /** Longer than one send may take by its own deadlines. */
  HOLDFAST_UNACKNOWLEDGED_LIMIT_MS: milliseconds(60_000),
  HOLDFAST_LOCK_LIMIT_MS: milliseconds(60_000),
} as const;

type Settings = { readonly [Name in keyof typeof livenessSettings]: number };

export interface LivenessConfig {
  readonly superviseEveryMs: number;
  readonly probeAfterMs: number;
  /** As `LivenessLimits` of `shared/connection/liveness.ts` asks for. */
  readonly limits: {
    readonly runnerBusyMs: number;
    readonly openingMs: number;
    readonly lastFrameMs: number;
    readonly unhandledMs: number;
    readonly unacknowledgedMs: number;
    readonly lockMs: number;
  };
}

/** The numbers out of the settings. */
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
