import type { Effect, StateOf } from './machineTypes.ts';
import { goalOf } from './stateParts.ts';

/** The effects of the end of a pairing. The file is pure. */
type Ending = StateOf<'idle' | 'connecting' | 'pairing' | 'online' | 'backing_off'>;

/** An offer that may be out is void once its socket is gone. */
export function offerOf(state: Ending): readonly Effect[] {
  return state.name !== 'idle' && goalOf(state).kind === 'pairing' ? [{ type: 'remove_offer' }] : [];
}

/** A request that has ended is spent: acted on once more, it would show an offer that nobody asked for. */
export function spentOf(state: Ending): readonly Effect[] {
  const goal = state.name === 'idle' ? undefined : goalOf(state);
  return goal?.kind === 'pairing' ? [{ type: 'spend_pairing', requestId: goal.pairing.requestId }] : [];
}
