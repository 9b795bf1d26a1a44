import {
  noTries,
  type Input,
  type InputOf,
  type InputType,
  type State,
  type StateName,
  type StateOf,
  type Step,
  type StepContext,
} from './machineTypes.ts';
import { recycle } from './recycle.ts';
import { showOffer } from './shownOffer.ts';
import {
  LOST,
  afterClose,
  begin,
  closed,
  endDrain,
  goOnline,
  loseOwnership,
  open,
  pairAgain,
  paired,
  release,
  restart,
  stop,
  switchOff,
  unlink,
  unpaired,
} from './transitions.ts';
import { retryWithVersion, wake } from './waits.ts';

/**
 * The lifecycle of one connection as a pure function. Nothing else in the worker decides to open or close a socket.
 * A cell that is missing in the table below does not compile; `ignore` is a decision.
 */
type Handler<Name extends StateName, Type extends InputType> = (
  state: StateOf<Name>,
  input: InputOf<Type>,
  context: StepContext,
) => Step;
type Table = {
  readonly [Name in StateName]: { readonly [Type in InputType]: Handler<Name, Type> | 'ignore' };
};
/** The next state of a connection and the effects to perform. The function is pure and total; it never throws. */
export function step(state: State, input: Input, context: StepContext): Step {
  const stale = 'generation' in input && 'generation' in state && input.generation !== state.generation;
  const handler = table[state.name][input.type] as Handler<StateName, InputType> | 'ignore';
  if (stale || handler === 'ignore') return { state, effects: [] };
  return handler(state, input, context);
}

/** The handlers of machines without a socket whose work is over or has not begun. */
const quiet = {
  pairing_offered: 'ignore',
  passkey_answered: 'ignore',
  paired: 'ignore',
  socket_opened: 'ignore',
  caught_up: 'ignore',
  socket_closed: 'ignore',
  ownership_confirmed: 'ignore',
  unwell: 'ignore',
  drain_finished: 'ignore',
} as const;

/** The handlers of inputs that end any state which tries to be online. */
const stoppable = {
  start: 'ignore',
  stop_requested: switchOff,
  unlink_requested: unlink,
  ownership_lost: loseOwnership,
  drain_finished: 'ignore',
} as const;

const table: Table = {
  idle: {
    ...quiet,
    start: (state, input, context) =>
      input.linked ? begin(state, context) : { state, effects: [{ type: 'remove_offer' }, unpaired(input.code)] },
    pair_requested: (state, { pairing }, context) => open(state, { kind: 'pairing', pairing }, noTries, context),
    stop_requested: switchOff,
    restart_requested: 'ignore',
    version_changed: 'ignore',
    unlink_requested: unlink,
    drain_requested: () => stop('released'),
    ownership_lost: loseOwnership,
    timer: 'ignore',
  },
  connecting: {
    ...stoppable,
    pairing_offered: ({ goal, ...state }, input, context) =>
      goal.kind === 'pairing'
        ? showOffer({ ...state, goal }, input, context)
        : // The server takes a linked device for a new one. The deadline decides; nothing is retired without proof.
          { state: { ...state, goal }, effects: [] },
    passkey_answered: 'ignore',
    paired,
    socket_opened: goOnline,
    caught_up: (state) => ({ state: { ...state, caughtUp: true }, effects: [] }),
    socket_closed: closed,
    ownership_confirmed: (state, { close }, context) => afterClose(state, close, context),
    unwell: recycle,
    pair_requested: pairAgain,
    restart_requested: restart,
    version_changed: 'ignore',
    drain_requested: release,
    timer: (state, _input, context) => afterClose(state, LOST, context),
  },
  pairing: {
    ...stoppable,
    pairing_offered: showOffer,
    passkey_answered: (state, { answer }) => ({ state, effects: [{ type: 'answer_passkey', answer }] }),
    paired,
    socket_opened: goOnline,
    caught_up: 'ignore',
    socket_closed: closed,
    ownership_confirmed: (state, { close }, context) => afterClose(state, close, context),
    unwell: recycle,
    pair_requested: pairAgain,
    restart_requested: 'ignore',
    version_changed: 'ignore',
    drain_requested: release,
    timer: (state, _input, context) => afterClose(state, LOST, context),
  },
  online: {
    ...stoppable,
    pairing_offered: 'ignore',
    passkey_answered: 'ignore',
    paired: 'ignore',
    socket_opened: 'ignore',
    caught_up: (state) =>
      state.caughtUp
        ? { state, effects: [] }
        : { state: { ...state, caughtUp: true }, effects: [{ type: 'allow_sending' }] },
    socket_closed: closed,
    ownership_confirmed: (state, { close }, context) => afterClose(state, close, context),
    unwell: recycle,
    pair_requested: 'ignore',
    restart_requested: restart,
    version_changed: 'ignore',
    drain_requested: (state, _input, { policy }) => ({
      state: { name: 'draining', generation: state.generation },
      effects: [
        { type: 'record_status', status: 'handing_off', code: 'moving' },
        { type: 'set_timer', delayMs: policy.drainWithinMs },
        { type: 'finish_commands_in_flight' },
      ],
    }),
    timer: 'ignore',
  },
  backing_off: {
    ...quiet,
    ...stoppable,
    pair_requested: pairAgain,
    restart_requested: restart,
    drain_requested: release,
    version_changed: retryWithVersion,
    timer: wake,
  },
  draining: {
    ...quiet,
    socket_closed: endDrain,
    start: 'ignore',
    pair_requested: 'ignore',
    stop_requested: 'ignore',
    restart_requested: 'ignore',
    version_changed: 'ignore',
    // This is on purpose: the command is not deleted, so the next owner does it.
    unlink_requested: 'ignore',
    drain_requested: 'ignore',
    drain_finished: endDrain,
    ownership_lost: loseOwnership,
    timer: endDrain,
  },
  stopped: {
    ...quiet,
    start: 'ignore',
    pair_requested: 'ignore',
    stop_requested: 'ignore',
    restart_requested: 'ignore',
    version_changed: 'ignore',
    unlink_requested: 'ignore',
    drain_requested: 'ignore',
    ownership_lost: 'ignore',
    timer: 'ignore',
  },
};
