import type { StatusCode } from '../../shared/connection/status.ts';
import type { PairingOffer } from '../socket/port/connectionSocket.ts';
import type { Effect, InputOf, StateOf, Step, StepContext } from './machineTypes.ts';
import { openedOf } from './stateParts.ts';

/** What is shown of a pairing that waits for somebody. The file is pure. */
type Waiting = StateOf<'pairing'> | (StateOf<'connecting'> & { readonly goal: { readonly kind: 'pairing' } });

/** The code of the status while an offer is out. */
const codes: Readonly<Record<PairingOffer['method'], StatusCode>> = {
  qr: 'offer_out',
  code: 'offer_out',
  passkey_required: 'passkey_required',
  passkey_checking: 'passkey_checking',
  passkey_confirm: 'passkey_confirm',
};

/** How much longer than a step of a passkey the machine waits, in milliseconds: the socket ends it, and says why. */
const SLACK_MS = 30_000;

/** Shows an offer. The first one begins the time of the pairing; each step of a passkey has a time of its own. */
export function showOffer(state: Waiting, { offer }: InputOf<'pairing_offered'>, context: StepContext): Step {
  const { method, expiresAtMs } = offer;
  const isOfPasskey = method !== 'qr' && method !== 'code';
  const delayMs = isOfPasskey ? expiresAtMs - context.nowMs + SLACK_MS : context.policy.pairWithinMs;
  const timer: readonly Effect[] = isOfPasskey || state.name === 'connecting' ? [{ type: 'set_timer', delayMs }] : [];
  const pairing = state.name === 'pairing' ? state.pairing : state.goal.pairing;
  return {
    state: { ...openedOf(state), name: 'pairing', pairing, tries: state.tries },
    effects: [
      ...timer,
      { type: 'show_offer', offer },
      { type: 'record_status', status: 'awaiting_pairing', code: codes[method] },
    ],
  };
}
