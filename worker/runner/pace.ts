import type { Policy, StepContext } from './machineTypes.ts';

/** The waits of the machine. The file is pure. */
/** The base delay with which the first delays of `closeRules` hold as they stand. */
const REFERENCE_BASE_DELAY_MS = 5_000;

/** A delay of `closeRules`, which are written for the base delay of 5 s. */
export function scaled(durationMs: number, policy: Policy): number {
  return (durationMs * policy.baseDelayMs) / REFERENCE_BASE_DELAY_MS;
}

/** The rest of the wait between two opens of one connection. */
export function spacingLeftMs(state: { readonly openedAtMs: number }, { monotonicMs, policy }: StepContext): number {
  return Math.max(0, Math.round(state.openedAtMs + policy.openSpacingMs - monotonicMs));
}

/** The next step towards a time on the wall clock: timers are never set for longer than the longest delay. */
export function stepToMs(state: { readonly openedAtMs: number }, untilMs: number, context: StepContext): number {
  return Math.max(Math.min(untilMs - context.nowMs, context.policy.maxDelayMs), spacingLeftMs(state, context));
}
