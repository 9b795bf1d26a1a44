import type { InputOf, StateOf, Step, StepContext } from './machineTypes.ts';
import { noTries } from './machineTypes.ts';
import { goalOf } from './stateParts.ts';
import { isStable, retryLater } from './transitions.ts';

/**
 * Recycles a socket that is open in name only: it is closed before another opens, and the account stays linked. The
 * time for which it was unwell earns no forgiveness; otherwise a server that is silent after each login would be tried
 * anew every minute for ever.
 */
export function recycle(
  state: StateOf<'connecting'> | StateOf<'pairing'> | StateOf<'online'>,
  { symptom, forMs }: InputOf<'unwell'>,
  context: StepContext,
): Step {
  const tries = isStable(state, forMs, context) ? noTries : state.tries;
  return retryLater({ ...state, goal: goalOf(state), tries, closeCode: undefined }, symptom, context);
}
