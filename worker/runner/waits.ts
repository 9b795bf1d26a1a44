import { closeRules } from './closeRules.ts';
import type { Input, StateOf, Step, StepContext } from './machineTypes.ts';
import { stepToMs } from './pace.ts';
import { isVoid } from './stateParts.ts';
import { becomeUnpaired, open } from './transitions.ts';

/** The ends of the wait for the next open. The file is pure. */
type BackingOff = StateOf<'backing_off'>;

/** The wait is over, or a step of it is. */
export function wake(state: BackingOff, _input: Input, context: StepContext): Step {
  const { goal, tries, untilMs } = state;
  if (untilMs !== undefined && context.nowMs < untilMs) {
    return { state, effects: [{ type: 'set_timer', delayMs: stepToMs(state, untilMs, context) }] };
  }
  return isVoid(goal, context) ? becomeUnpaired(state, closeRules.pairing_expired) : open(state, goal, tries, context);
}

/** Opens at once, because the other version has come; the open budget sets the pace. */
export function retryWithVersion(state: BackingOff, input: Input, context: StepContext): Step {
  return state.cause === 'version_refused' ? wake(state, input, context) : { state, effects: [] };
}
