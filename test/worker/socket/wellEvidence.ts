import type { Evidence } from '../../../shared/connection/liveness.ts';

/** What a socket shows that is open, idle and well. */
export const wellEvidence: Evidence = {
  phase: 'open',
  phaseMs: 1_000_000,
  lastFrameMs: 0,
  lastHandledMs: undefined,
  lastAckMs: undefined,
  oldestUnhandledMs: undefined,
  oldestUnacknowledgedMs: undefined,
  oldestLockMs: undefined,
};
