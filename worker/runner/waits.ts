import { closeRules } from './closeRules.ts';
import type { Input, StateOf, Step, StepContext } from './machineTypes.ts';
import { stepToMs } from './pace.ts';
import { isVoid } from './stateParts.ts';
import { becomeUnpaired, open } from './transitions.ts';

/** How the wait for the next open ends. Pure. */
type BackingOff = StateOf<'backing_off'>;

/** The wait is over, or a step of it is. */
export function wake(state: BackingOff, _input: Input, context: StepContext): Step {
  const { goal, tries, untilMs } = state;
  if (untilMs !== undefined && context.nowMs < untilMs) {
    return { state, effects: [{ type: 'set_timer', delayMs: stepToMs(state, untilMs, context) }] };
  }
  return isVoid(goal, context) ? becomeUnpaired(state, closeRules.pairing_expired) : open(state, goal, tries, context);
}

/** At once: what is waited for has come, and the pace of the opens is the budget's. */
export function retryWithVersion(state: BackingOff, input: Input, context: StepContext): Step {
  return state.cause === 'version_refused' ? wake(state, input, context) : { state, effects: [] };
}
