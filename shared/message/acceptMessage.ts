import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Connection } from '../connection/connection.ts';
import { allWait } from '../connection/pace.ts';
import { AppError } from '../kernel/appError.ts';
import { backoffMs } from '../kernel/backoff.ts';
import type { CorrelationId } from '../kernel/id.ts';
import { makeSentIds, type SentIds } from '../kernel/sentIds.ts';
import type { FilesToSend } from '../media/filesToSend.ts';
import type { Surroundings } from '../platform/surroundings.ts';
import { albumRows, albumTime } from './albumRows.ts';
import { enqueueCommand, enqueueMessages, type CommandQueue } from './command.ts';
import { findReserved } from './idempotency.ts';
import type { SentMessage } from './message.ts';
import type { MessageStore } from './messageStore.ts';
import type { CallerKey } from './newMessages.ts';
import {
  isAlbum,
  onlyPossible,
  splitMessage,
  type ImpossibleMessage,
  type OutboundMessage,
} from './outboundMessage.ts';
import { earliest } from './contentTimes.ts';
import { PARKED_LIMIT } from './parkedRows.ts';
import { hashOfRequest } from './requestHash.ts';
import { problemsOfTimes, type SendTimes } from './sendTimes.ts';
import { settleAlbum, type SettledAlbum } from './settleAlbum.ts';
import { resolveRecipient, settleRequest, type RequestLookUp, type SettledRequest } from './settleRequest.ts';

/**
 * Accept (docs/protocol.md, "Accept"), in two round trips: the row with the caller's key, then the queue; an answer to
 * another message, an act on one, or a message with a file takes one more before them, which reads that message or file. Only when the
 * queue has the command is the answer 202. If anything fails before, the answer is 503 and the same Idempotency-Key
 * carries on with the same ids, so the recipient sees one message however often the caller tries.
 *
 * - The process dies between the two: the row is `queued`, and nobody was told so. The same key puts the command into the
 *   queue; without a repetition reconcile finds out that the queue never had it.
 * - The queue took the command and its answer was lost: 503, and the message may be sent. The same key gets its answer.
 * - A command is there twice: a worker works the second on a row that says how far the message is.
 *
 * A message with a time (`not_before`) is only written: 202 means that its rows are there, and the dispatch function puts its
 * command into the queue when it is due.
 */
export interface AcceptDependencies extends Pick<Surroundings, 'clock' | 'random'>, CommandQueue {
  readonly table: DynamoDBDocumentClient;
  readonly messages: MessageStore;
  /** The files that messages may be made of; left out where none is. */
  readonly files?: FilesToSend;
}

export interface AcceptRequest {
  readonly connection: Connection;
  readonly body: OutboundMessage | ImpossibleMessage;
  readonly idempotencyKey: string | undefined;
  readonly correlationId: CorrelationId;
}

/**
 * How often a message is written when others are in its way: two requests meet at their key, and another message may have
 * the ids that were drawn.
 */
const TRIES = 8;
/** The length of the secret of a message, in bytes: WhatsApp's own. */
const SECRET_BYTES = 32;
/** Chance enough that no two writings of rows are ever taken for one. */
const WRITE_ID_BYTES = 9;
const RETRY_DELAY = { firstMs: 10, capMs: 200 } as const;

/** A request that can be sent, with its caller's key. */
interface PossibleRequest extends AcceptRequest {
  readonly body: OutboundMessage;
  readonly key: CallerKey | undefined;
}

/**
 * Accepts a message for sending. Returns the message as it stands: `queued`, or further on if the same key was used before.
 * Throws `not_possible_on_linked_devices`, `connection_not_paired`, `recipient_invalid`, `invalid_request`,
 * `message_not_found` for a message that it names, `media_not_found`, `media_awaited`, `media_left` and `media_failed` for its file,
 * `act_not_possible`, `edit_too_late`, `too_many_parked`, `idempotency_conflict`, `not_enqueued`.
 */
export async function acceptMessage(dependencies: AcceptDependencies, request: AcceptRequest): Promise<SentMessage> {
  const { connection } = request;
  const body = onlyPossible(request.body);
  const to = body.to === undefined ? undefined : resolveRecipient(body.to);
  const key = keyOf(request, body, to);
  const { messages, clock, files } = dependencies;
  const { connectionId, tenantId } = connection;
  const known = { messages, connectionId, own: addressesOf(connection) };
  const times = timesOf(body);
  const nowMs = clock.nowMs();
  const settled =
    refusalOf(connection, nowMs, times) ??
    untimely(times, nowMs) ??
    (await settle(body, to, nowMs, files === undefined ? known : { ...known, files: { tenantId, files } }));
  // A repeated request asks for nothing new: it gets its answer whatever has become of the connection meanwhile.
  const stored =
    settled instanceof AppError
      ? await findRepeated(dependencies, connection, key)
      : await create(dependencies, { ...request, body, key }, settled);
  if (stored === undefined) throw settled;
  await enqueueAll(dependencies, connection, stored);
  return stored;
}

/**
 * Finds what was accepted under the key of a request before, as it is now; undefined where nothing was, or it has no key. What is queued is put
 * into the queue once more. Throws `idempotency_conflict`, `not_possible_on_linked_devices`, `recipient_invalid`, `not_enqueued`.
 */
export async function findAccepted(
  dependencies: AcceptDependencies,
  request: AcceptRequest,
): Promise<SentMessage | undefined> {
  const { connection } = request;
  const body = onlyPossible(request.body);
  const to = body.to === undefined ? undefined : resolveRecipient(body.to);
  const stored = await findRepeated(dependencies, connection, keyOf(request, body, to));
  if (stored !== undefined) await enqueueAll(dependencies, connection, stored);
  return stored;
}

/** How many messages a request makes: an album one for itself and one for each part. */
export function messagesOf(body: OutboundMessage | ImpossibleMessage): number {
  return isAlbum(body) ? 1 + body.album.parts.length : 1;
}

/** Puts what is queued of a message and its parts into the queue, which may not have it yet; if it has, the second does no harm. */
async function enqueueAll(dependencies: AcceptDependencies, { shard }: Connection, stored: SentMessage): Promise<void> {
  const queued = [stored, ...(await partsToEnqueue(dependencies, stored))].filter(({ state }) => state === 'queued');
  await enqueue(dependencies, shard, queued);
}

/** Settles a request: an album with its parts, and anything else as it is. */
function settle(
  body: OutboundMessage,
  to: string | undefined,
  nowMs: number,
  lookUp: RequestLookUp,
): Promise<SettledRequest | SettledAlbum | AppError> {
  return isAlbum(body) ? settleAlbum(body, to, nowMs, lookUp) : settleRequest(body, to, nowMs, lookUp);
}

/** The parts of an album, as they are by now: those that are queued may not be in the queue. */
async function partsToEnqueue(
  { messages }: AcceptDependencies,
  { connectionId, parts = [] }: SentMessage,
): Promise<readonly SentMessage[]> {
  const found = await Promise.all(parts.map(({ messageId }) => messages.find(connectionId, messageId)));
  return found.filter((part) => part?.direction === 'out');
}

/** The times that a request names. One that acts on another message names none: its schema has no field for them. */
function timesOf(body: OutboundMessage): SendTimes {
  const { not_before: notBeforeMs, expires_at: expiresAtMs } = splitMessage(body).envelope;
  return { notBeforeMs, expiresAtMs };
}

function untimely(times: SendTimes, nowMs: number): AppError | undefined {
  const fields = problemsOfTimes(times, nowMs);
  return fields.length === 0 ? undefined : new AppError('invalid_request', { fields });
}

function addressesOf({ account }: Connection): readonly string[] {
  return [account?.phoneJid, account?.lid].filter((address) => address !== undefined);
}

/** Whether new messages are accepted for a connection now. */
export function maySend(connection: Connection): boolean {
  return refusalOf(connection, 0) === undefined && connection.wanted !== 'deleted';
}

/** The reason why nothing new is accepted for a connection now. What is for later does not add to what waits now. */
function refusalOf(
  { account, parkedCount, pace }: Connection,
  nowMs: number,
  { notBeforeMs }: Partial<SendTimes> = {},
): AppError | undefined {
  if (account === undefined) return new AppError('connection_not_paired');
  if (parkedCount >= PARKED_LIMIT && notBeforeMs === undefined) {
    // While everything waits for a brake, nothing gets room before its end.
    const brakedMs = pace === undefined ? 0 : (allWait(pace, nowMs)?.untilMs ?? nowMs) - nowMs;
    return new AppError('too_many_parked', { retryAfterSeconds: Math.max(60, Math.ceil(brakedMs / 1_000)) });
  }
  return undefined;
}

/** Writes the message, or reads the one that was written under the same key before. */
async function create(
  dependencies: AcceptDependencies,
  { connection, body, key, correlationId }: PossibleRequest,
  { status, parts, ...settled }: SettledRequest & Partial<Pick<SettledAlbum, 'parts'>>,
): Promise<SentMessage> {
  const { messages, clock, random } = dependencies;
  const { tenantId, connectionId, shard } = connection;
  const times = timesOf(body);
  for (let attempt = 0; ; attempt++) {
    const createdAtMs = parts === undefined ? clock.nowMs() : albumTime(clock.nowMs(), parts.length);
    const writeId = Buffer.from(random.bytes(WRITE_ID_BYTES)).toString('base64url');
    const made: SentMessage = {
      ...makeSentIds(connectionId, createdAtMs, random),
      tenantId,
      connectionId,
      direction: 'out',
      ...settled,
      ...(status?.look === undefined ? {} : { look: status.look }),
      secret: Buffer.from(random.bytes(SECRET_BYTES)).toString('base64url'),
      ...(body.biz_opaque_callback_data === undefined ? {} : { callbackData: body.biz_opaque_callback_data }),
      state: times.notBeforeMs === undefined ? 'queued' : 'scheduled',
      notBeforeMs: times.notBeforeMs,
      expiresAtMs: earliest(times.expiresAtMs, settled.expiresAtMs),
      error: undefined,
      correlationId,
      attempts: 0,
      createdAtMs,
      sentAtMs: undefined,
      deliveredAtMs: undefined,
      readAtMs: undefined,
    };
    const { beginning, parts: album } = parts === undefined ? { beginning: made } : albumRows(made, parts, random);
    const creation = await messages.create({ ...beginning, audience: status?.audience, album }, shard, key, writeId);
    if (creation.outcome === 'created') return beginning;
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

function keyOf(
  { idempotencyKey: callerKey }: AcceptRequest,
  body: OutboundMessage,
  to: string | undefined,
): CallerKey | undefined {
  return callerKey === undefined ? undefined : { callerKey, bodyHash: hashOfRequest(body, to) };
}

/** Puts the commands of messages into the queue, in their order. Throws `not_enqueued` where it has not taken all of them. */
async function enqueue(
  dependencies: AcceptDependencies,
  shard: number,
  messages: readonly SentMessage[],
): Promise<void> {
  const commands = messages.map(({ tenantId, connectionId, correlationId, messageId, to }) => ({
    to,
    command: { version: 1, kind: 'send_message', tenantId, connectionId, correlationId, messageId } as const,
  }));
  const [only, ...others] = commands;
  try {
    if (only !== undefined && others.length === 0) {
      await enqueueCommand(dependencies, shard, only.command, only.command.messageId);
    } else await enqueueMessages(dependencies, shard, commands);
  } catch (cause) {
    throw new AppError('not_enqueued', { cause, retryAfterSeconds: 2 });
  }
}
