import type { SocketClose } from '../socket/port/connectionSocket.ts';
import type { Phase } from './closeRules.ts';
import type { Goal, StateOf, StepContext } from './machineTypes.ts';

/** Facts about the socket of a state. The file is pure. */
type Trying = StateOf<'connecting' | 'pairing' | 'online' | 'backing_off'>;
type WithSocket = StateOf<'connecting' | 'pairing' | 'online'>;

/** A login is judged as one whatever it was opened for: WhatsApp may not know a device whose pairing it never saw confirmed. */
export function phaseOf(state: WithSocket, { wasLogin }: SocketClose): Phase {
  if (wasLogin === true) return 'linked';
  if (state.name === 'pairing') return 'offered';
  return goalOf(state).kind === 'pairing' ? 'registering' : 'linked';
}

export function goalOf(state: Trying): Goal {
  if (state.name === 'pairing') return { kind: 'pairing', pairing: state.pairing };
  return state.name === 'online' ? { kind: 'login', proof: 'usual' } : state.goal;
}

export function isVoid(goal: Goal, { nowMs, policy }: StepContext): boolean {
  return goal.kind === 'pairing' && nowMs - goal.pairing.requestedAtMs > policy.pairWithinMs;
}

export function openedOf(state: { readonly generation: number; readonly openedAtMs: number }) {
  return { generation: state.generation, openedAtMs: state.openedAtMs };
}
