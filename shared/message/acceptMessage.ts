import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Connection } from '../connection/connection.ts';
import { AppError } from '../kernel/appError.ts';
import { makeId, makeStanzaId, type CorrelationId, type MessageId, type StanzaId } from '../kernel/id.ts';
import { toRecipient } from '../kernel/jid.ts';
import { enqueueCommand, type CommandQueue } from './command.ts';
import { findReserved, reserveIds, type ReservedKey } from './idempotency.ts';
import { ACCEPT_LIMIT_MS, type SentMessage } from './message.ts';
import type { MessageStore } from './messageStore.ts';
import { splitMessage, type OutboundMessage } from './outboundMessage.ts';
import { hashOfRequest } from './requestHash.ts';
import { markUnqueued, unmarkUnqueued } from './unqueuedMessages.ts';
import type { Surroundings } from '../platform/surroundings.ts';

/**
 * Accept (docs/protocol.md, "Accept"): ids first, then the row, then the queue. Only when the queue has the command is the answer
 * 202. If anything fails before, the answer is 503 and the same Idempotency-Key carries on with the same ids, so the
 * recipient sees one message however often the caller tries. Nothing is enqueued later on its own.
 */
export interface AcceptDependencies extends Pick<Surroundings, 'clock' | 'random'>, CommandQueue {
  readonly table: DynamoDBDocumentClient;
  readonly messages: MessageStore;
}

export interface AcceptRequest {
  readonly connection: Connection;
  readonly body: OutboundMessage;
  readonly idempotencyKey: string | undefined;
  readonly correlationId: CorrelationId;
}

/** The greatest backlog of one connection; more is refused. */
const PARKED_LIMIT = 1_000;

type Ids = {
  readonly messageId: MessageId;
  readonly stanzaId: StanzaId;
};

/**
 * Accepts a message for sending. Returns the message as it stands: `queued`, or further on if the same key was used before.
 * Throws `connection_not_paired`, `recipient_invalid`, `too_many_parked`, `idempotency_conflict`, `not_enqueued`.
 */
export async function acceptMessage(dependencies: AcceptDependencies, request: AcceptRequest): Promise<SentMessage> {
  const { messages, clock, random } = dependencies;
  const { connection, body } = request;
  const to = resolveRecipient(body.to);
  const refusal = refusalOf(connection);
  if (refusal !== undefined) {
    // A repeated request asks for nothing new: it gets its answer whatever has become of the connection meanwhile.
    const repeated = await findRepeated(dependencies, request);
    if (repeated === undefined) throw refusal;
    return repeated;
  }

  const nowMs = clock.nowMs();
  const fresh: Ids = { messageId: makeId('msg', nowMs, random), stanzaId: makeStanzaId(random) };
  const ids = await reserveIds(dependencies, keyOf(request, nowMs), fresh);
  const earlier = await messages.find(connection.connectionId, ids.messageId);
  if (earlier?.direction === 'out' && (earlier.state !== 'accepting' || isTooLate(earlier, clock.nowMs()))) {
    return asShown(earlier, clock.nowMs());
  }
  const message: SentMessage = {
    ...ids,
    tenantId: connection.tenantId,
    connectionId: connection.connectionId,
    direction: 'out',
    to,
    content: splitMessage(body).content,
    state: 'accepting',
    error: undefined,
    correlationId: request.correlationId,
    attempts: 0,
    createdAtMs: clock.nowMs(),
    sentAtMs: undefined,
    deliveredAtMs: undefined,
    readAtMs: undefined,
  };
  await markUnqueued(dependencies, message);
  await messages.create(message);
  await enqueue(dependencies, connection.shard, message);
  // The queue has the command: 202 is already true, so a failure here must not become a 503. A worker treats both
  // states alike.
  await messages
    .markQueued(connection.connectionId, ids.messageId)
    .then(() => unmarkUnqueued(dependencies, message))
    .catch(() => undefined);
  return { ...message, state: 'queued' };
}

/** The reason why nothing new is accepted for a connection now. */
function refusalOf({ account, parkedCount }: Connection): AppError | undefined {
  if (account === undefined) return new AppError('connection_not_paired');
  if (parkedCount >= PARKED_LIMIT) return new AppError('too_many_parked', { retryAfterSeconds: 60 });
  return undefined;
}

/** Finds the message that was accepted under this key before. Throws `idempotency_conflict`. */
async function findRepeated(
  dependencies: AcceptDependencies,
  request: AcceptRequest,
): Promise<SentMessage | undefined> {
  const { messages, clock } = dependencies;
  const nowMs = clock.nowMs();
  const ids = await findReserved<Ids>(dependencies, keyOf(request, nowMs));
  const message = ids && (await messages.find(request.connection.connectionId, ids.messageId));
  if (message?.direction !== 'out') return undefined;
  const shown = asShown(message, nowMs);
  return shown.state === 'accepting' ? undefined : shown;
}

/** The message as a reader sees it: one that never reached the queue is failed once its time is over. */
export function asShown(message: SentMessage, nowMs: number): SentMessage {
  return isTooLate(message, nowMs) ? { ...message, state: 'failed', error: { code: 'not_enqueued' } } : message;
}

function isTooLate(message: SentMessage, nowMs: number): boolean {
  return message.state === 'accepting' && nowMs - message.createdAtMs > ACCEPT_LIMIT_MS;
}

/** The address to send to: a phone number in international form, or a WhatsApp address. Throws `recipient_invalid`. */
export function resolveRecipient(to: string): string {
  const recipient = toRecipient(to);
  if (recipient !== undefined) return recipient;
  const problem = 'Write it like +49 151 23456789, or as the address of a person or group that this API showed you.';
  throw new AppError('recipient_invalid', { fields: [{ field: 'to', problem }] });
}

function keyOf({ connection, body, idempotencyKey }: AcceptRequest, nowMs: number): ReservedKey {
  const bodyHash = hashOfRequest(body, resolveRecipient(body.to));
  return { connectionId: connection.connectionId, callerKey: idempotencyKey, bodyHash, nowMs };
}

async function enqueue(dependencies: AcceptDependencies, shard: number, message: SentMessage): Promise<void> {
  const { tenantId, connectionId, correlationId, messageId } = message;
  try {
    await enqueueCommand(
      dependencies,
      shard,
      { version: 1, kind: 'send_message', tenantId, connectionId, correlationId, messageId },
      messageId,
    );
  } catch (cause) {
    throw new AppError('not_enqueued', { cause, retryAfterSeconds: 2 });
  }
}
