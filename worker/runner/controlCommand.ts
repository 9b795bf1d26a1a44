import { PAIRING_REQUEST_LIMIT_MS, type Connection, type WantedPairing } from '../../shared/connection/connection.ts';
import type { PasskeyAnswer } from '../../shared/connection/passkey.ts';
import type { StatusCode } from '../../shared/connection/status.ts';
import type { ControlKind } from '../../shared/message/command.ts';

/** The state of a connection in this worker. */
export interface RunnerView {
  /** The state of its runner. `absent`: none was made since the shard was claimed. */
  readonly runner: 'running' | 'gave_up' | 'off' | 'absent';
  /** The pairing request that was acted on last. */
  readonly handledPairing: string | undefined;
  /** The number of the change of settings that is applied; undefined before the record was read. */
  readonly appliedChanges: number | undefined;
}

/** The action by which a connection becomes what its record asks for. */
export type ControlAction =
  | { readonly action: 'start'; readonly linked: boolean; readonly code: StatusCode }
  | { readonly action: 'pair'; readonly pairing: WantedPairing }
  /** Gives the tenant's answer to the request for a passkey to the socket that waits for it. */
  | { readonly action: 'answer_passkey'; readonly answer: PasskeyAnswer }
  | { readonly action: 'restart' }
  | { readonly action: 'stop' }
  /** Unlinks the device, fails waiting messages, keeps the record. */
  | { readonly action: 'log_out'; readonly requestId: string }
  /** Unlinks the device, fails waiting messages, removes the record. */
  | { readonly action: 'remove' }
  /** The record is gone: lets go of the runner. */
  | { readonly action: 'forget' }
  /** No account is linked: parked messages can never be sent. */
  | { readonly action: 'fail_messages' };

/** Codes of a connection that has given up but that another worker, perhaps with a newer version, may try once more. */
const WORTH_A_TRY: ReadonlySet<StatusCode> = new Set(['too_many_attempts', 'client_outdated', 'client_refused']);
const REVIVING: ReadonlySet<ControlKind | 'listing'> = new Set(['start', 'restart', 'pair']);

/**
 * Compares what a record asks for with the present state. It is level-triggered: a command, the listing at a claim and
 * each later listing all come here, so a lost command is made up for and a doubled one does nothing.
 * @param trigger the command that led here, or `listing`
 */
export function decideControl(
  connection: Connection | undefined,
  view: RunnerView,
  trigger: ControlKind | 'listing',
  nowMs: number,
): readonly ControlAction[] {
  if (connection === undefined) return [{ action: 'forget' }];
  if (connection.wanted === 'deleted') return [{ action: 'remove' }];
  // This comes before the wanted state: a log-out that was asked for is done even if the connection was switched off
  // since.
  if (connection.logout !== undefined) return [{ action: 'log_out', requestId: connection.logout.requestId }];
  if (connection.wanted === 'off')
    return view.runner === 'running' || connection.status !== 'off' ? [{ action: 'stop' }] : [];

  const linked = connection.account !== undefined;
  const pairing = connection.pairing;
  const asked =
    !linked &&
    pairing !== undefined &&
    pairing.requestId !== view.handledPairing &&
    nowMs - pairing.requestedAtMs < PAIRING_REQUEST_LIMIT_MS;
  const actions: ControlAction[] = [];
  if (asked) actions.push({ action: 'pair', pairing });
  else if (view.runner === 'running') {
    actions.push(...(trigger === 'restart' ? [{ action: 'restart' } as const] : []));
    const answer = pairing?.passkey;
    // It is given again with each comparison until the request ends: the socket knows whether it has taken it.
    if (!linked && answer !== undefined) actions.push({ action: 'answer_passkey', answer });
  } else if (REVIVING.has(trigger) || isStartable(connection, view, nowMs)) {
    actions.push({ action: 'start', linked, code: restingCode(connection) });
  }
  if (!linked && connection.parkedCount > 0) actions.push({ action: 'fail_messages' });
  return actions;
}

/** Whether a held connection works with other settings than its record has. */
export function hasOldSettings({ changes = 0 }: Connection, { appliedChanges }: RunnerView): boolean {
  return appliedChanges === undefined || appliedChanges < changes;
}

/** Whether a connection may be started. One that gave up waits for a person, also across owners. */
function isStartable(connection: Connection, view: RunnerView, nowMs: number): boolean {
  if (view.runner === 'gave_up') return false;
  if (view.runner === 'off') return true;
  // An earlier owner knew when a ban ends: nothing is tried before.
  const { nextAttemptAtMs } = connection;
  if (connection.statusCode === 'temporarily_banned' && nextAttemptAtMs !== undefined) return nowMs >= nextAttemptAtMs;
  const gaveUp = connection.status === 'failed' || connection.status === 'restricted';
  // Without an account there is nothing to try: the shown code says why its pairing failed.
  return !gaveUp || (connection.account !== undefined && WORTH_A_TRY.has(connection.statusCode));
}

/** The code of an unlinked connection: the reason why it is unlinked, or that an offer of an earlier owner is void. */
function restingCode(connection: Connection): StatusCode {
  if (connection.status === 'unpaired') return connection.statusCode;
  return connection.pairing === undefined ? 'never_paired' : 'offer_expired';
}
