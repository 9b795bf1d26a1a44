import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Connection } from '../connection/connection.ts';
import { AppError } from '../kernel/appError.ts';
import { backoffMs } from '../kernel/backoff.ts';
import type { CorrelationId } from '../kernel/id.ts';
import { toRecipient } from '../kernel/jid.ts';
import { makeSentIds, type SentIds } from '../kernel/sentIds.ts';
import type { Surroundings } from '../platform/surroundings.ts';
import { enqueueCommand, type CommandQueue } from './command.ts';
import { findReserved } from './idempotency.ts';
import type { SentMessage } from './message.ts';
import type { MessageStore } from './messageStore.ts';
import type { CallerKey } from './newMessages.ts';
import { onlyPossible, splitMessage, type ImpossibleMessage, type OutboundMessage } from './outboundMessage.ts';
import { hashOfRequest } from './requestHash.ts';
import type { SentContext } from './sentContext.ts';
import { settleContext } from './settleContext.ts';

/**
 * Accept (docs/protocol.md, "Accept"), in two round trips: the row with the caller's key, then the queue; an answer to
 * another message takes one more before them, which reads that message. Only when the
 * queue has the command is the answer 202. If anything fails before, the answer is 503 and the same Idempotency-Key
 * carries on with the same ids, so the recipient sees one message however often the caller tries.
 *
 * - The process dies between the two: the row is `queued`, and nobody was told so. The same key puts the command into the
 *   queue; without a repetition reconcile finds out that the queue never had it.
 * - The queue took the command and its answer was lost: 503, and the message may be sent. The same key gets its answer.
 * - A command is there twice: a worker works the second on a row that says how far the message is.
 */
export interface AcceptDependencies extends Pick<Surroundings, 'clock' | 'random'>, CommandQueue {
  readonly table: DynamoDBDocumentClient;
  readonly messages: MessageStore;
}

export interface AcceptRequest {
  readonly connection: Connection;
  readonly body: OutboundMessage | ImpossibleMessage;
  readonly idempotencyKey: string | undefined;
  readonly correlationId: CorrelationId;
}

/** The greatest backlog of one connection; more is refused. */
const PARKED_LIMIT = 1_000;
/**
 * How often a message is written when others are in its way: two requests meet at their key, and another message may have
 * the ids that were drawn.
 */
const TRIES = 8;
/** Chance enough that no two writings of rows are ever taken for one. */
/** The length of the secret of a message, in bytes: WhatsApp's own. */
const SECRET_BYTES = 32;
const WRITE_ID_BYTES = 9;
const RETRY_DELAY = { firstMs: 10, capMs: 200 } as const;

/** A request that can be sent, with what was settled of it. */
interface SettledRequest extends Omit<AcceptRequest, 'body'> {
  readonly body: OutboundMessage;
  readonly to: string;
}

/**
 * Accepts a message for sending. Returns the message as it stands: `queued`, or further on if the same key was used before.
 * Throws `not_possible_on_linked_devices`, `connection_not_paired`, `recipient_invalid`, `invalid_request`,
 * `message_not_found` for the message that it answers, `too_many_parked`, `idempotency_conflict`, `not_enqueued`.
 */
export async function acceptMessage(dependencies: AcceptDependencies, request: AcceptRequest): Promise<SentMessage> {
  const { connection } = request;
  const body = onlyPossible(request.body);
  const settled: SettledRequest = { ...request, body, to: resolveRecipient(body.to) };
  const key = keyOf(settled);
  const { connectionId } = connection;
  const context = await settleContext(body, settled.to, { messages: dependencies.messages, connectionId });
  const refusal = refusalOf(connection) ?? (context instanceof AppError ? context : undefined);
  // A repeated request asks for nothing new: it gets its answer whatever has become of the connection meanwhile.
  const message =
    refusal === undefined ? await create(dependencies, settled, context as SentContext | undefined, key) : undefined;
  const stored = message ?? (await findRepeated(dependencies, connection, key));
  if (stored === undefined) throw refusal;
  // The queue may not have the command of an earlier request; if it has, the second does no harm.
  if (stored.state === 'queued') await enqueue(dependencies, connection.shard, stored);
  return stored;
}

/** Whether new messages are accepted for a connection now. */
export function maySend(connection: Connection): boolean {
  return refusalOf(connection) === undefined && connection.wanted !== 'deleted';
}

/** The reason why nothing new is accepted for a connection now. */
function refusalOf({ account, parkedCount }: Connection): AppError | undefined {
  if (account === undefined) return new AppError('connection_not_paired');
  if (parkedCount >= PARKED_LIMIT) return new AppError('too_many_parked', { retryAfterSeconds: 60 });
  return undefined;
}

/** Writes the message, or reads the one that was written under the same key before. */
async function create(
  dependencies: AcceptDependencies,
  { connection, body, to, correlationId }: SettledRequest,
  context: SentContext | undefined,
  key: CallerKey | undefined,
): Promise<SentMessage> {
  const { messages, clock, random } = dependencies;
  const { tenantId, connectionId, shard } = connection;
  for (let attempt = 0; ; attempt++) {
    const createdAtMs = clock.nowMs();
    const writeId = Buffer.from(random.bytes(WRITE_ID_BYTES)).toString('base64url');
    const message: SentMessage = {
      ...makeSentIds(connectionId, createdAtMs, random),
      tenantId,
      connectionId,
      direction: 'out',
      to,
      content: splitMessage(body).content,
      secret: Buffer.from(random.bytes(SECRET_BYTES)).toString('base64url'),
      ...(context === undefined ? {} : { context }),
      ...(body.biz_opaque_callback_data === undefined ? {} : { callbackData: body.biz_opaque_callback_data }),
      state: 'queued',
      error: undefined,
      correlationId,
      attempts: 0,
      createdAtMs,
      sentAtMs: undefined,
      deliveredAtMs: undefined,
      readAtMs: undefined,
    };
    const creation = await messages.create(message, shard, key, writeId);
    if (creation.outcome === 'created') return message;
    if (creation.outcome === 'conflict') throw new AppError('idempotency_conflict');
    if (creation.outcome === 'repeated') return read(dependencies, connection, creation.ids);
    const error = creation.outcome === 'busy' ? creation.error : new Error('no ids are free');
    if (attempt + 1 === TRIES) throw error;
    await clock.sleep(backoffMs(RETRY_DELAY, attempt, random.unit()));
  }
}

/** Finds the message that was accepted under this key before. Throws `idempotency_conflict`. */
async function findRepeated(
  dependencies: AcceptDependencies,
  connection: Connection,
  key: CallerKey | undefined,
): Promise<SentMessage | undefined> {
  const { connectionId } = connection;
  const nowMs = dependencies.clock.nowMs();
  const ids =
    key && (await findReserved<SentIds & Record<string, string>>(dependencies, { ...key, connectionId, nowMs }));
  return ids === undefined ? undefined : read(dependencies, connection, ids);
}

async function read(
  { messages }: AcceptDependencies,
  { connectionId }: Connection,
  { messageId }: SentIds,
): Promise<SentMessage> {
  const message = await messages.find(connectionId, messageId);
  if (message?.direction !== 'out') throw new Error('a key without its message: both are written in one transaction');
  return message;
}

/** The address to send to: a phone number in international form, or a WhatsApp address. Throws `recipient_invalid`. */
export function resolveRecipient(to: string): string {
  const recipient = toRecipient(to);
  if (recipient !== undefined) return recipient;
  const problem = 'Write it like +49 151 23456789, or as the address of a person or group that this API showed you.';
  throw new AppError('recipient_invalid', { fields: [{ field: 'to', problem }] });
}

function keyOf({ body, to, idempotencyKey: callerKey }: SettledRequest): CallerKey | undefined {
  return callerKey === undefined ? undefined : { callerKey, bodyHash: hashOfRequest(body, to) };
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
