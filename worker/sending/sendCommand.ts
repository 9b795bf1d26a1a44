import type { Connection } from '../../shared/connection/connection.ts';
import type { ReceiptFact } from '../../shared/event/facts/receiptFact.ts';
import type { SendResultFact } from '../../shared/event/facts/sendResultFact.ts';
import type { MessageId } from '../../shared/kernel/id.ts';
import {
  ACCEPT_LIMIT_MS,
  isDone,
  isSent,
  sendStates,
  type Message,
  type SentMessage,
} from '../../shared/message/message.ts';
import type { MessageStore } from '../../shared/message/messageStore.ts';
import type { SendError, SendErrorCode } from '../../shared/message/sendError.ts';
import { judgeFailure } from '../../shared/platform/judgeFailure.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { FactPublisher } from '../facts/factPublisher.ts';
import type { OwnedConnection } from '../fleet/ownedConnection.ts';
import type { LookUp, SendingSocket } from '../socket/port/connectionSocket.ts';
import { audienceFor } from './audienceFor.ts';
import type { Governor } from './governor.ts';
import type { MessageFiles } from './messageFiles.ts';
import { toFacts } from './resultFacts.ts';
import { judgeOutcome, MAX_SEND_ATTEMPTS, type Verdict } from './sendOutcomes.ts';
import { sendWithFile, type OutcomeWithFile } from './sendWithFile.ts';

/**
 * Tries one message of an owned connection once (docs/protocol.md, "Send"). The caller holds the connection's turn to
 * send.
 */
export interface SendDependencies extends Pick<Surroundings, 'clock' | 'logger' | 'metrics'> {
  readonly owned: OwnedConnection;
  readonly messages: MessageStore;
  readonly publisher: FactPublisher;
  /** Throws when this worker may not act at the moment. Called before each outside effect. */
  readonly assertOpen: () => void;
  /** Finds the files that messages are made of. */
  readonly files: Pick<MessageFiles, 'look'>;
  /** Decides how fast messages leave, and whether they may leave for new people. */
  readonly governor: Governor;
}

/** The origin of a command. A parked message was in the queue in time, whatever its row says. */
export type CommandSource = 'parked' | { readonly enqueuedAtMs: number };

/**
 * `settled`: its end is published, so that nothing is left to do. `again`: the message may have left. `unowned`: a
 * newer owner has it. `waits`: nothing left, because WhatsApp limits a look-up or did not answer it. `held_back`: nothing
 * left, because no message may leave for a new person now. `in_part`: nothing left, and more of an audience is to be looked
 * up at once. `without_file`: nothing left, because its file is not at WhatsApp yet. With the message, where it was tried.
 */
export type TryResult =
  | { readonly result: 'settled' | 'unowned'; readonly message?: SentMessage }
  | { readonly result: 'again' | 'held_back' | 'in_part' | 'without_file'; readonly message: SentMessage }
  | { readonly result: 'waits'; readonly message: SentMessage; readonly lookUp: LookUp; readonly limited: boolean };

/** A message that may be sent, by its command. */
export interface TriedCommand {
  readonly messageId: MessageId;
  readonly source: CommandSource;
}

/**
 * Reads the row, and returns it if there is anything to send. Settles a message that is over already, and a command
 * that reached the queue too late. It is for messages that must wait, or whose address says whether they must: a message
 * that may be sent at once is read by the write that begins its try.
 */
export async function readMessage(
  dependencies: SendDependencies,
  command: TriedCommand,
): Promise<SentMessage | 'settled'> {
  const { messages, owned } = dependencies;
  const message = await messages.find(owned.connectionId, command.messageId);
  return (await settleIfOver(dependencies, command, message)) === 'over' || message?.direction !== 'out'
    ? 'settled'
    : message;
}

/**
 * Whether a command is over: its message is done, or was never there, or has expired, or the command came too late. The
 * queue's own time decides the last: this worker's wall clock may be wrong by an hour. A scheduled message is never too late
 * for the queue: it is put there until it is there.
 */
async function settleIfOver(
  dependencies: SendDependencies,
  { messageId, source }: TriedCommand,
  message: Message | undefined,
): Promise<'over' | 'open'> {
  if (message?.direction !== 'out') {
    dependencies.logger.warn('command without a message row', { messageId });
    return 'over';
  }
  if (isDone(message.state)) {
    await publishResult(dependencies, message);
    return 'over';
  }
  if (hasExpired(message, dependencies.clock.nowMs())) {
    await expire(dependencies, message);
    // A walk through the parked messages removes the row of each that is over; where nothing can be sent, none is made.
    if (source !== 'parked' && message.parkedAs !== undefined) {
      dependencies.assertOpen();
      await dependencies.messages.unpark(dependencies.owned, message.parkedAs);
    }
    return 'over';
  }
  const isUntried = sendStates[message.state] < sendStates.parked && message.notBeforeMs === undefined;
  if (!isUntried || message.createdAtMs >= (acceptedFromMsOf(source) ?? 0)) return 'open';
  await settle(dependencies, message, { verdict: 'failed', error: { code: 'not_enqueued' } });
  return 'over';
}

/** Whether no try of a message may begin any more. The function is pure. */
export function hasExpired({ expiresAtMs }: Pick<SentMessage, 'expiresAtMs'>, nowMs: number): boolean {
  return expiresAtMs !== undefined && expiresAtMs <= nowMs;
}

/** Ends a message that has expired. One that was being tried may have left: its end says so. */
async function expire(dependencies: SendDependencies, message: SentMessage): Promise<void> {
  const code = message.state === 'sending' ? 'expired_unacknowledged' : 'expired';
  await settle(dependencies, message, { verdict: 'expired', error: { code } });
}

/** When a message must have been accepted, so that a command of it which was enqueued then is in time. */
function acceptedFromMsOf(source: CommandSource): number | undefined {
  return source === 'parked' ? undefined : source.enqueuedAtMs - ACCEPT_LIMIT_MS;
}

/**
 * Tries a message: row → sending, wire, server's ack, fact. The write that begins the try is also the read of the
 * message. A crash in between is repaired by a redelivery: it sends under the same stanza id, or finds the result and
 * publishes it again.
 */
export async function trySending(
  dependencies: SendDependencies,
  command: TriedCommand,
  socket: SendingSocket,
): Promise<TryResult> {
  const { messages, owned, assertOpen } = dependencies;
  assertOpen();
  const acceptedFromMs = acceptedFromMsOf(command.source);
  const message = await messages.beginSending(owned, command.messageId, acceptedFromMs, dependencies.clock.nowMs());
  if (message === 'refused') {
    const now = await messages.find(owned.connectionId, command.messageId);
    return { result: (await settleIfOver(dependencies, command, now)) === 'over' ? 'settled' : 'unowned' };
  }
  try {
    return await tryOnce(dependencies, message, socket);
  } catch (error) {
    if (judgeFailure(error) === 'passing') throw error;
    // Each further try would have the same outcome. Its chat waits, as it does for an answer, and no other; and the
    // wait ends.
    const { messageId, correlationId, attempts } = message;
    dependencies.logger.error('a message could not be tried', {
      messageId,
      correlationId,
      attempt: attempts + 1,
      error,
    });
    if (attempts + 1 < MAX_SEND_ATTEMPTS) return { result: 'again', message };
    await failMessage(dependencies, message, 'too_many_attempts');
    return { result: 'settled', message };
  }
}

async function tryOnce(
  dependencies: SendDependencies,
  message: SentMessage,
  socket: SendingSocket,
): Promise<TryResult> {
  const { messages, owned, assertOpen, logger, clock, governor } = dependencies;
  const { messageId, stanzaId, to, content, context, original, secret, look, partOf } = message;
  assertOpen();
  const recorded = Promise.withResolvers<void>();
  try {
    const resolved = async (address: string): Promise<void> => {
      assertOpen();
      if (address !== message.resolvedTo) await messages.noteResolved(owned, messageId, address);
    };
    const triedBefore = message.attempts > 0 || message.limitedSinceMs !== undefined;
    const parts = { content, context, original, secret, look, partOf };
    const said = { stanzaId, to, ...parts, ...audienceFor(dependencies, message) };
    const firstContact = () => governor.admit(stanzaId);
    const request = { ...said, triedBefore, resolved, firstContact, recorded: recorded.promise };
    const outcome = await sendWithFile(dependencies, message, request, socket);
    if (isHeld(outcome)) return await endHeld(dependencies, message, outcome.outcome);
    // The brake is on before anybody learns of the refusal.
    if (outcome.outcome === 'refused') await governor.refused(outcome.code);
    const attempts = message.attempts + 1;
    const limitedForMs = message.limitedSinceMs === undefined ? 0 : clock.nowMs() - message.limitedSinceMs;
    const verdict = judgeOutcome(outcome, { attempts, limitedForMs });
    const { correlationId } = message;
    logger.debug('message tried', { messageId, stanzaId, correlationId, attempt: attempts, outcome: outcome.outcome });
    if (verdict.verdict === 'again') return { result: 'again', message };
    if (verdict.verdict === 'waits') {
      const { lookUp, limited } = verdict;
      assertOpen();
      await messages.endTry(owned, messageId, limited ? clock.nowMs() : undefined, 'look_up');
      return { result: 'waits', message, lookUp, limited };
    }
    await settle(dependencies, message, verdict);
    return { result: 'settled', message };
  } finally {
    recorded.resolve();
  }
}

/** The outcomes of a try that something held back: what its message waits for, and the result. */
const held = {
  first_contact_waits: ['first_contact', 'held_back'],
  audience_in_part: ['audience', 'in_part'],
  file_waits: ['file', 'without_file'],
} as const;

function isHeld(outcome: OutcomeWithFile): outcome is OutcomeWithFile & { readonly outcome: keyof typeof held } {
  return Object.hasOwn(held, outcome.outcome);
}

/** Ends a try of which nothing left. */
async function endHeld(
  { messages, owned, assertOpen }: SendDependencies,
  message: SentMessage,
  outcome: keyof typeof held,
): Promise<TryResult> {
  const [because, result] = held[outcome];
  assertOpen();
  // One that was tried before may have left, so nobody may cancel it any more. One whose file was never there has not.
  if (message.attempts === 0 || because === 'file') {
    await messages.endTry(owned, message.messageId, undefined, because, false);
  }
  return { result, message };
}

/** Ends a message that cannot be sent any more. */
export async function failMessage(
  dependencies: SendDependencies,
  message: SentMessage,
  error: SendErrorCode,
): Promise<void> {
  await settle(dependencies, message, { verdict: 'failed', error: { code: error } });
}

/** The reason why messages of this connection can never be sent as it stands; undefined if they may wait. */
export function hopelessBecause(connection: Connection | undefined): SendErrorCode | undefined {
  if (connection === undefined || connection.wanted === 'deleted') return 'connection_deleted';
  return connection.account === undefined ? 'connection_not_paired' : undefined;
}

type FinalVerdict =
  | Extract<Verdict, { readonly verdict: 'sent' | 'failed' }>
  | { readonly verdict: 'expired'; readonly error: SendError };

/**
 * Ends a message. That it was sent is published, and ingest writes it on the row: a worker that dies before sends the same
 * bytes under the same stanza id once more, and WhatsApp shows them once. That it failed or expired is on the row first: a
 * message of which somebody was told so is never tried again.
 */
async function settle(dependencies: SendDependencies, message: SentMessage, verdict: FinalVerdict): Promise<void> {
  const { messages, owned, clock, assertOpen } = dependencies;
  assertOpen();
  if (verdict.verdict === 'sent') {
    countEnd(dependencies, message, verdict);
    const { atMs, toSelf, members, statusBy, sentFile } = verdict;
    const toAlias = message.toAlias === undefined ? verdict.toAlias : undefined;
    await publish(
      dependencies,
      message,
      toFacts(message, { state: 'sent', atMs, toAlias, toSelf, members, statusBy, sentFile }),
    );
    return;
  }
  const failure = { state: verdict.verdict, atMs: clock.nowMs(), error: verdict.error } as const;
  if ((await messages.recordFailure(owned, message.messageId, failure)) === 'recorded') {
    countEnd(dependencies, message, verdict);
    await publish(dependencies, message, toFacts(message, failure));
    return;
  }
  // A receipt was faster, or a newer owner was here: the row now has the result.
  const now = await messages.find(owned.connectionId, message.messageId);
  if (now?.direction === 'out' && isDone(now.state)) await publishResult(dependencies, now);
}

/** Codes of failures that neither the recipient nor the tenant could have prevented. */
const OURS: ReadonlySet<SendErrorCode> = new Set(['not_enqueued', 'too_many_attempts']);

function countEnd({ metrics, clock }: SendDependencies, message: SentMessage, verdict: FinalVerdict): void {
  if (verdict.verdict === 'expired') {
    metrics.count('CommandsEnded', { outcome: 'expired' });
    return;
  }
  if (verdict.verdict === 'failed') {
    metrics.count('CommandsEnded', { outcome: OURS.has(verdict.error.code) ? 'failed' : 'refused' });
    return;
  }
  metrics.count('CommandsEnded', { outcome: 'sent' });
  metrics.measure('CommandAge', Math.max(0, clock.nowMs() - (message.notBeforeMs ?? message.createdAtMs)), {});
}

/** Publishes the result that the row shows. It may have been published before: its key is the same. */
async function publishResult(dependencies: SendDependencies, message: SentMessage): Promise<void> {
  const { state: end } = message;
  const state = isSent(end) ? 'sent' : end === 'expired' || end === 'cancelled' ? end : 'failed';
  const atMs = message.sentAtMs ?? message.endedAtMs ?? dependencies.clock.nowMs();
  const { error, toSelf, sentFile } = message;
  await publish(dependencies, message, toFacts(message, { state, atMs, error, toSelf, sentFile }));
}

async function publish(
  dependencies: SendDependencies,
  message: SentMessage,
  facts: readonly (SendResultFact | ReceiptFact)[],
): Promise<void> {
  await dependencies.publisher.publish(dependencies.owned, facts, message.correlationId);
}
