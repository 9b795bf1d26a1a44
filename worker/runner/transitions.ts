import type { StatusCode } from '../../shared/connection/status.ts';
import { backoffMs } from '../../shared/kernel/backoff.ts';
import type { SocketClose } from '../socket/port/connectionSocket.ts';
import { CONFLICT_RETRIES, closeRules, toCloseCause, type CloseCause, type CloseRule } from './closeRules.ts';
import { scaled, spacingLeftMs, stepToMs } from './pace.ts';
import { offerOf, spentOf } from './pairingEnd.ts';
import { goalOf, openedOf, phaseOf } from './stateParts.ts';
import {
  noTries,
  type Effect,
  type Goal,
  type Input,
  type InputOf,
  type RecordStatus,
  type State,
  type StateOf,
  type Step,
  type StepContext,
  type StopReason,
  type Tries,
} from './machineTypes.ts';

/** The cells of the machine's table, each a pure function. */
type Connecting = StateOf<'connecting'>;
type Pairing = StateOf<'pairing'>;
type Online = StateOf<'online'>;
type BackingOff = StateOf<'backing_off'>;
/** States with a socket, or with a retry ahead. */
type Trying = Connecting | Pairing | Online | BackingOff;

/** A deadline that passed counts as a lost network: 408. */
export const LOST: SocketClose = { statusCode: 408, node: undefined };

export function open(state: { readonly generation: number }, goal: Goal, tries: Tries, context: StepContext): Step {
  const generation = state.generation + 1;
  // A retry keeps the status that says why it is one, so that tenants see no flapping.
  const opening: readonly Effect[] =
    tries.failures + tries.restarts === 0 ? [{ type: 'record_status', status: 'connecting', code: 'opening' }] : [];
  return {
    state: { name: 'connecting', generation, openedAtMs: context.monotonicMs, goal, caughtUp: false, tries },
    effects: [
      ...opening,
      // The timer comes first: the wait for a turn to open counts, and an effect that hangs is seen.
      { type: 'set_timer', delayMs: context.policy.openWithinMs },
      { type: 'open_socket', generation, goal },
    ],
  };
}

/** A linked connection is wanted online. One that was open just now, and was switched off and on, keeps its distance. */
export function begin(state: StateOf<'idle'>, context: StepContext): Step {
  const goal: Goal = { kind: 'login', proof: 'usual' };
  const { openedAtMs, generation } = state;
  const delayMs = openedAtMs === undefined ? 0 : spacingLeftMs({ openedAtMs }, context);
  if (openedAtMs === undefined || delayMs === 0) return open(state, goal, noTries, context);
  return {
    state: { name: 'backing_off', generation, openedAtMs, goal, tries: noTries, cause: 'start_requested' },
    effects: [
      { type: 'record_status', status: 'connecting', code: 'opening', nextAttemptAtMs: context.nowMs + delayMs },
      { type: 'set_timer', delayMs },
    ],
  };
}

export function paired(state: Connecting | Pairing, input: InputOf<'paired'>, { policy }: StepContext): Step {
  return {
    state: {
      ...openedOf(state),
      name: 'connecting',
      goal: { kind: 'login', proof: 'fresh' },
      caughtUp: false,
      tries: state.tries,
    },
    effects: [
      { type: 'set_timer', delayMs: policy.openWithinMs },
      { type: 'remove_offer' },
      { type: 'record_account', account: input.account },
      ...spentOf(state),
      { type: 'record_status', status: 'connecting', code: 'opening' },
    ],
  };
}

export function goOnline(
  state: Connecting | Pairing,
  input: InputOf<'socket_opened'>,
  { monotonicMs }: StepContext,
): Step {
  const caughtUp = state.name === 'connecting' && state.caughtUp;
  return {
    state: { ...openedOf(state), name: 'online', sinceMs: monotonicMs, caughtUp, tries: state.tries },
    effects: [
      { type: 'clear_timer' },
      ...offerOf(state),
      { type: 'record_account', account: input.account },
      ...spentOf(state),
      { type: 'record_status', status: 'online', code: 'open' },
      ...(caughtUp ? ([{ type: 'allow_sending' }] as const) : []),
    ],
  };
}

/** A newer pairing request takes the place of an older one, with a new socket; a linked connection needs none. */
export function pairAgain(
  state: Connecting | Pairing | BackingOff,
  { pairing }: InputOf<'pair_requested'>,
  context: StepContext,
): Step {
  const goal = goalOf(state);
  if (goal.kind === 'login' || goal.pairing.requestId === pairing.requestId) return { state, effects: [] };
  const next = open(state, { kind: 'pairing', pairing }, noTries, context);
  return { ...next, effects: [...closeEffects(state), ...offerOf(state), ...next.effects] };
}

/** The tenant asks for a new socket: failures are forgiven, the space between two opens is kept. */
export function restart(state: Connecting | Online | BackingOff, _input: Input, context: StepContext): Step {
  const goal = goalOf(state);
  if (goal.kind === 'pairing') return { state, effects: [] };
  const delayMs = spacingLeftMs(state, context);
  return {
    state: { ...openedOf(state), name: 'backing_off', goal, tries: noTries, cause: 'restart_requested' },
    effects: [
      ...closeEffects(state),
      {
        type: 'record_status',
        status: 'reconnecting',
        code: 'restarting',
        nextAttemptAtMs: context.nowMs + delayMs,
      },
      { type: 'set_timer', delayMs },
    ],
  };
}

/**
 * Judges a socket that has closed. A close that a newer owner may have caused waits until the store shows that there is
 * none.
 */
export function closed(
  state: Connecting | Pairing | Online,
  { generation, close }: InputOf<'socket_closed'>,
  context: StepContext,
): Step {
  if (closeRules[toCloseCause(close, phaseOf(state, close))].ownership === 'assume')
    return afterClose(state, close, context);
  return { state, effects: [{ type: 'read_ownership', generation, close }] };
}

/** The socket is closed, or is given up: the rule of the cause decides. */
export function afterClose(state: Connecting | Pairing | Online, close: SocketClose, context: StepContext): Step {
  const goal = goalOf(state);
  const tries = isStable(state, 0, context) ? noTries : state.tries;
  const cause = toCloseCause(close, phaseOf(state, close));
  const rule = closeRules[cause];
  const from: From = { ...state, goal: goalAfter(cause, goal), tries, closeCode: close.statusCode };
  if (cause === 'logged_out' && goal.kind === 'login' && goal.proof === 'fresh') {
    return retryLater({ ...from, goal: { kind: 'login', proof: 'doubted' } }, 'unknown', context);
  }
  if (rule.retry === 'never') {
    return rule.status === 'unpaired' ? becomeUnpaired(from, rule) : giveUp(from, rule);
  }
  if (rule.retry === 'held') return hold(from, rule, context);
  if (rule.retry === 'after_end') {
    return close.endsInMs === undefined ? giveUp(from, rule) : waitForEnd(from, rule, close.endsInMs, context);
  }
  if (rule.retry === 'slow' && tries.conflicts >= CONFLICT_RETRIES) {
    return giveUp(from, { ...rule, status: 'failed', code: 'conflict' });
  }
  if (rule.retry === 'now' && tries.restarts === 0) return restartNow(from, rule, context);
  return retryLater(from, cause, context);
}

/** Whether the socket was open and well for so long that earlier failures are forgiven. */
export function isStable(state: Trying, unwellMs: number, { monotonicMs, policy }: StepContext): boolean {
  return state.name === 'online' && monotonicMs - state.sinceMs - unwellMs >= policy.stableAfterMs;
}

/** The login after a restart that WhatsApp asked for is sometimes refused once, at once or not: it is to be doubted. */
function goalAfter(cause: CloseCause, goal: Goal): Goal {
  const isFresh = cause === 'restart_required' && goal.kind === 'login' && goal.proof === 'usual';
  return isFresh ? { kind: 'login', proof: 'fresh' } : goal;
}

/** Restarts without delay; only the first restart that WhatsApp asks for is free. */
function restartNow(from: From, rule: CloseRule, context: StepContext): Step {
  const next = open(from, from.goal, { ...from.tries, restarts: 1 }, context);
  return {
    ...next,
    effects: [...closeEffects(from), ...offerOf(from), statusOf(rule, from), ...next.effects],
  };
}

type From = (Connecting | Pairing | Online) & { readonly goal: Goal; readonly closeCode: number | undefined };

export function retryLater(from: From, cause: CloseCause, context: StepContext): Step {
  const { policy, jitter, nowMs } = context;
  const rule = closeRules[cause];
  const capMs = policy.maxDelayMs;
  const tries: Tries = {
    failures: from.tries.failures + 1,
    conflicts: from.tries.conflicts + (cause === 'replaced' ? 1 : 0),
    restarts: from.tries.restarts + (cause === 'restart_required' ? 1 : 0),
  };
  const tooMany = tries.failures > policy.maxAttempts;
  const exponent = cause === 'replaced' ? from.tries.conflicts : from.tries.failures;
  const firstMs = tooMany ? capMs : scaled(rule.firstDelayMs, policy);
  const delayMs = Math.max(backoffMs({ firstMs, capMs }, exponent, jitter), spacingLeftMs(from, context));
  const shown = tooMany ? ({ status: 'failed', code: 'too_many_attempts' } as const) : rule;
  return {
    state: { ...openedOf(from), name: 'backing_off', goal: from.goal, tries, cause },
    effects: [
      ...closeEffects(from),
      ...offerOf(from),
      { ...statusOf(shown, from), nextAttemptAtMs: nowMs + delayMs },
      { type: 'set_timer', delayMs },
    ],
  };
}

/**
 * Waits for another client version. The timer only looks again, in case nothing else wakes it: as long as the version
 * is refused no socket is opened.
 */
function hold(from: From, rule: CloseRule, { policy }: StepContext): Step {
  // This is no failure that counts, but later opens remember it: they must not show `connecting` each time.
  const tries: Tries = { ...from.tries, failures: Math.max(1, from.tries.failures) };
  return {
    state: { ...openedOf(from), name: 'backing_off', goal: from.goal, tries, cause: 'version_refused' },
    effects: [
      ...closeEffects(from),
      ...offerOf(from),
      statusOf(rule, from),
      { type: 'set_timer', delayMs: policy.maxDelayMs },
    ],
  };
}

/** Waits for an end that WhatsApp stated, which may be days away: the timer goes there in steps. */
function waitForEnd(from: From, rule: CloseRule, endsInMs: number, context: StepContext): Step {
  const untilMs = context.nowMs + Math.max(endsInMs, spacingLeftMs(from, context));
  const tries: Tries = { ...from.tries, failures: from.tries.failures + 1 };
  return {
    state: { ...openedOf(from), name: 'backing_off', goal: from.goal, tries, cause: 'temporarily_banned', untilMs },
    effects: [
      ...closeEffects(from),
      ...offerOf(from),
      { ...statusOf(rule, from), nextAttemptAtMs: untilMs },
      { type: 'set_timer', delayMs: stepToMs(from, untilMs, context) },
    ],
  };
}

/** No account is linked (any more): wait for a pairing request. */
export function becomeUnpaired(state: Trying & { readonly closeCode?: number | undefined }, rule: CloseRule): Step {
  const { generation, openedAtMs } = state;
  const wasLinked = rule.credentials === 'retire';
  return {
    state: { name: 'idle', generation, openedAtMs },
    effects: [
      ...closeEffects(state),
      { type: 'clear_timer' },
      ...offerOf(state),
      ...spentOf(state),
      ...(wasLinked ? retired : []),
      statusOf(rule, state),
      ...(wasLinked ? ([{ type: 'fail_messages' }] as const) : []),
    ],
  };
}

/** Gives up: a person has to act before another try makes sense. */
function giveUp(state: From, rule: CloseRule): Step {
  const wasLinked = rule.credentials === 'retire';
  return stop('gave_up', [
    ...closeEffects(state),
    { type: 'clear_timer' },
    ...offerOf(state),
    ...spentOf(state),
    ...(wasLinked ? retired : []),
    statusOf(rule, state),
    ...(wasLinked ? ([{ type: 'fail_messages' }] as const) : []),
  ]);
}

export function switchOff(state: Trying | StateOf<'idle'>): Step {
  return stop('off', [
    ...closeEffects(state),
    { type: 'clear_timer' },
    ...offerOf(state),
    ...spentOf(state),
    { type: 'record_status', status: 'off', code: 'stopped' },
  ]);
}

/**
 * Unlinks on command: the device is removed at WhatsApp, on the open socket or one for this alone; credentials retire.
 */
export function unlink(state: Trying | StateOf<'idle'>): Step {
  return stop('unlinked', [
    ...closeEffects(state, state.name === 'online' ? 'logout' : 'end'),
    { type: 'clear_timer' },
    { type: 'remove_offer' },
    ...spentOf(state),
    ...(state.name === 'online' ? [] : ([{ type: 'log_out' }] as const)),
    ...retired,
    { type: 'record_status', status: 'unpaired', code: 'unlinked' },
  ]);
}

/** Releases ownership at once, as there is no socket worth keeping. */
export function release(state: Connecting | Pairing | BackingOff): Step {
  const moving: readonly Effect[] =
    goalOf(state).kind === 'login' ? [{ type: 'record_status', status: 'handing_off', code: 'moving' }] : [];
  return stop('released', [...closeEffects(state), { type: 'clear_timer' }, ...offerOf(state), ...moving]);
}

export function endDrain(state: StateOf<'draining'>): Step {
  return stop('released', [...closeEffects(state), { type: 'clear_timer' }]);
}

/** Closes without logging out, because another worker owns the connection, and writes nothing. */
export function loseOwnership(state: Exclude<State, { readonly name: 'stopped' }>): Step {
  return stop('ownership_lost', [...closeEffects(state), { type: 'clear_timer' }]);
}

export function stop(reason: StopReason, effects: readonly Effect[] = []): Step {
  return { state: { name: 'stopped', reason }, effects: [...effects, { type: 'runner_stopped', reason }] };
}

const retired: readonly Effect[] = [{ type: 'retire_credentials' }, { type: 'record_account', account: undefined }];

export function unpaired(code: StatusCode): Effect {
  return { type: 'record_status', status: 'unpaired', code };
}

function statusOf(
  { status, code }: Pick<CloseRule, 'status' | 'code'>,
  { closeCode }: { readonly closeCode?: number | undefined },
): RecordStatus {
  return { type: 'record_status', status, code, ...(closeCode === undefined ? {} : { closeCode }) };
}

function closeEffects(
  state: Exclude<State, { readonly name: 'stopped' }>,
  kind: 'end' | 'logout' = 'end',
): readonly Effect[] {
  const hasSocket = state.name !== 'idle' && state.name !== 'backing_off';
  return hasSocket ? [{ type: 'close_socket', generation: state.generation, kind }] : [];
}
