import { ACTION_RESULT_BYTES, isEnded, type Action } from '../../shared/action/action.ts';
import { rowOf, type AskedAction } from '../../shared/action/actionKinds.ts';
import type { ActionStore } from '../../shared/action/actionStore.ts';
import type { OpenActions } from '../../shared/action/openActions.ts';
import { actionEndKey } from '../../shared/event/facts/actionEndFact.ts';
import { backoffMs } from '../../shared/kernel/backoff.ts';
import { findInputProblems } from '../../shared/kernel/callerInput.ts';
import { judgeFailure } from '../../shared/platform/judgeFailure.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { FactPublisher } from '../facts/factPublisher.ts';
import type { OwnedConnection } from '../fleet/ownedConnection.ts';
import type { ActionOutcome } from '../socket/port/actionOutcome.ts';
import type { AskedBeside, AskingSocket } from '../socket/port/connectionSocket.ts';
import { judgeAction, type FinalVerdict } from './judgeAction.ts';

export interface RunDependencies extends Pick<Surroundings, 'clock' | 'logger' | 'metrics'> {
  readonly owned: OwnedConnection;
  readonly actions: Pick<ActionStore, 'find' | 'begin' | 'giveBack' | 'end'>;
  readonly openActions: Pick<OpenActions, 'remove'>;
  readonly publisher: FactPublisher;
  /** Throws when this worker may not act at the moment. Called before each outside effect. */
  readonly assertOpen: () => void;
}

/**
 * `over`: the end is recorded and published. `again`: the action waits to be asked again. `elsewhere`: a newer owner
 * has it, or its end is recorded already.
 */
export type RunEnd = { readonly run: 'over' | 'elsewhere' } | { readonly run: 'again'; readonly rests: boolean };

/** An action that is to be asked for now. */
export interface BegunAction {
  readonly action: Action;
  readonly socket: AskingSocket;
  /** Whether an earlier owner, or an earlier try, began it and did not end it. */
  readonly isTakenUp: boolean;
  readonly beside: AskedBeside;
}

/** The number of tries to record an end, which is known only here until then. */
const RECORD_TRIES = 5;
const RECORD_PAUSE = { firstMs: 300, capMs: 5_000 } as const;

/**
 * Asks WhatsApp for an action, once: row → running, WhatsApp, row → result, event. The row says `running` before
 * anything leaves, under the epoch of this owner: a later owner that finds it so knows that WhatsApp may have been
 * asked.
 */
export async function runAction(
  dependencies: RunDependencies,
  { action, socket, isTakenUp, beside }: BegunAction,
): Promise<RunEnd> {
  const { owned, actions, assertOpen, clock, logger } = dependencies;
  const { actionId, kind, correlationId } = action;
  assertOpen();
  if ((await actions.begin(owned, actionId, clock.nowMs(), isTakenUp)) === 'refused') return { run: 'elsewhere' };
  assertOpen();
  const attempts = action.attempts + 1;
  const outcome = await ask(dependencies, action, socket, beside);
  logger.debug('action tried', {
    actionId,
    actionKind: kind,
    correlationId,
    attempt: attempts,
    outcome: outcome?.outcome,
  });
  const verdict =
    outcome === undefined
      ? ({ verdict: 'end', ended: { state: 'failed', error: { code: 'internal_error' } } } as const)
      : judgeAction(outcome, { effect: rowOf(kind).effect, attempts });
  if (verdict.verdict === 'again') {
    assertOpen();
    await actions.giveBack(owned, actionId, verdict);
    return { run: 'again', rests: verdict.rests };
  }
  return endAction(dependencies, action, verdict.ended);
}

/** Records the end of an action, publishes it, and removes the action from the open ones. */
export async function endAction(
  dependencies: RunDependencies,
  action: Action,
  wanted: FinalVerdict,
): Promise<{ readonly run: 'over' | 'elsewhere' }> {
  const { owned, actions, assertOpen, clock } = dependencies;
  const ended = asKept(dependencies, action, wanted);
  for (let attempt = 1; ; attempt += 1) {
    try {
      assertOpen();
      const recorded = await actions.end(owned, action.actionId, { ...ended, atMs: clock.nowMs() });
      if (recorded === 'recorded') count(dependencies, action, ended);
      else if (!(await isOver(dependencies, action))) return { run: 'elsewhere' };
      break;
    } catch (error) {
      if (attempt === RECORD_TRIES || judgeFailure(error) === 'permanent') throw error;
      await clock.sleep(backoffMs(RECORD_PAUSE, attempt - 1, 1));
    }
  }
  await tellEnd(dependencies, action);
  return { run: 'over' };
}

/** Publishes that an action is over. It may have been published before: its key is the same. */
export async function tellEnd(dependencies: RunDependencies, { actionId, correlationId }: Action): Promise<void> {
  const { owned, publisher, openActions, assertOpen, clock } = dependencies;
  const fact = { kind: 'action_end', key: actionEndKey(actionId), atMs: clock.nowMs(), actionId } as const;
  assertOpen();
  await publisher.publish(owned, [fact], correlationId);
  assertOpen();
  await openActions.remove(owned, actionId);
}

/** The outcome, or undefined when something of ours failed, which is logged. */
async function ask(
  { logger, metrics, clock }: RunDependencies,
  { actionId, kind, account, request, correlationId }: Action,
  socket: AskingSocket,
  beside: AskedBeside,
): Promise<ActionOutcome | undefined> {
  const begunAtMs = clock.monotonicMs();
  try {
    const outcome = await socket.ask({ kind, request } as unknown as AskedAction, account, beside);
    metrics.measure('ActionDuration', clock.monotonicMs() - begunAtMs, {});
    return outcome;
  } catch (error) {
    logger.error('an action could not be asked for', { actionId, actionKind: kind, correlationId, error });
    return undefined;
  }
}

async function isOver({ owned, actions }: RunDependencies, { actionId }: Action): Promise<boolean> {
  const now = await actions.find(owned.connectionId, actionId);
  return now !== undefined && isEnded(now);
}

/** A result in the form in which it can be stored and shown; anything else fails the action, whatever was done. */
function asKept({ logger }: RunDependencies, { actionId, kind }: Action, ended: FinalVerdict): FinalVerdict {
  if (ended.state !== 'succeeded') return ended;
  const parsed = rowOf(kind).result.safeParse(ended.result);
  if (!parsed.success || findInputProblems(parsed.data).length > 0) {
    logger.error('the result of an action is not as described', { actionId, actionKind: kind });
    return { state: 'failed', error: { code: 'internal_error' } };
  }
  if (Buffer.byteLength(JSON.stringify(parsed.data)) > ACTION_RESULT_BYTES) {
    return { state: 'failed', error: { code: 'result_too_large' } };
  }
  return { state: 'succeeded', result: parsed.data };
}

/** Codes of failures that neither WhatsApp's answer nor the caller explains. */
const OURS: ReadonlySet<string> = new Set(['internal_error', 'outcome_unknown', 'unanswered']);

function count({ metrics }: RunDependencies, { kind }: Action, ended: FinalVerdict): void {
  const outcome = ended.state !== 'failed' ? ended.state : OURS.has(ended.error.code) ? 'failed' : 'refused';
  metrics.count('ActionsFinished', { outcome });
  if (outcome === 'failed') metrics.count('ActionsFailed', { kind });
}
