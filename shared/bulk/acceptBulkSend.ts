import { createHash } from 'node:crypto';
import type { Connection } from '../connection/connection.ts';
import { AppError, type FieldProblem } from '../kernel/appError.ts';
import { noRoom } from '../kernel/noRoom.ts';
import { errorRules } from '../kernel/errorRules.ts';
import { makeId, type BulkSendId, type CorrelationId, type MediaId, type MessageId } from '../kernel/id.ts';
import { isStatus } from '../kernel/jid.ts';
import type { FileToSend } from '../media/fileToSend.ts';
import type { FilesToSend } from '../media/filesToSend.ts';
import { findReserved } from '../message/idempotency.ts';
import type { Message } from '../message/message.ts';
import type { MessageStore } from '../message/messageStore.ts';
import type { NamedLookUp } from '../message/namedMessage.ts';
import {
  isAlbum,
  onlyPossible,
  splitMessage,
  type ImpossibleMessage,
  type OutboundMessage,
} from '../message/outboundMessage.ts';
import { isAct } from '../message/actRule.ts';
import { hashOfRequest } from '../message/requestHash.ts';
import { problemsOfTimes, type SendTimes } from '../message/sendTimes.ts';
import { resolveRecipient, settleRequest } from '../message/settleRequest.ts';
import type { NotesDependencies } from '../message/windowNotes.ts';
import { usualQuotas } from '../platform/quotaRows.ts';
import type { Surroundings } from '../platform/surroundings.ts';
import { LONGEST_MS, type BulkSend } from './bulkSend.ts';
import { packLines, type BulkLine } from './bulkLines.ts';
import type { BulkLineStore } from './bulkLineStore.ts';
import type { BulkSendStore } from './bulkSendStore.ts';

/**
 * Accepts a bulk send: all of its lines or none. First every line is checked and settled, as a single message is; then the lines
 * are kept; then one transaction makes the bulk send of them, with the caller's key.
 *
 * - The process dies before that transaction: the lines are of no bulk send, and expire. The caller has no answer, and under the
 *   same key or without one begins anew.
 * - It dies after it: the bulk send is there and is worked. The same key finds it.
 * - Two requests with one key at once: one transaction wins, and the other answers with the winner's.
 */
export interface AcceptBulkDependencies extends Pick<Surroundings, 'clock' | 'random'>, NotesDependencies {
  readonly messages: Pick<MessageStore, 'find'>;
  readonly bulkSends: BulkSendStore;
  readonly bulkLines: BulkLineStore;
  /** The files that lines may be made of; left out where none is. */
  readonly files?: FilesToSend;
}

export interface BulkRequest {
  readonly connection: Connection;
  /** Each line, or what is wrong with its form. */
  readonly lines: readonly (OutboundMessage | ImpossibleMessage | AppError)[];
  readonly times: SendTimes;
  readonly perMinute: number | undefined;
  readonly idempotencyKey: string | undefined;
  /** How many bulk sends of the connection may be open; as many as is usual when left out. */
  readonly mostOpen?: number;
  readonly correlationId: CorrelationId;
}

/** How many lines are settled, or items written, side by side. */
const SIDE_BY_SIDE = 16;
/** The most problems in an answer. */
const MOST_PROBLEMS = 20;

/**
 * Returns the bulk send, also one that the same key made before. Throws `invalid_request` with the lines that are wrong,
 * `connection_not_paired`, `too_many_bulk_sends`, `idempotency_conflict`.
 */
export async function acceptBulkSend(dependencies: AcceptBulkDependencies, request: BulkRequest): Promise<BulkSend> {
  const { bulkSends, bulkLines, clock } = dependencies;
  const { connection, idempotencyKey: callerKey } = request;
  const { connectionId } = connection;
  const nowMs = clock.nowMs();
  const known = new Problems();
  const bodies = request.lines.map((line, index) => known.try(index, () => toKnown(line)));
  // The lines that are right so far may still be wrong: whoever corrects the file wants to know it all.
  if (known.isAny) await settle(dependencies, connection, bodies, { nowMs, problems: known });
  known.throwAny();
  const hashed = bodies.filter((body) => body !== undefined);
  const bodyHash = hashOf(request, hashed);
  const repeated = await findAcceptedBulk(dependencies, request, bodyHash);
  if (repeated !== undefined) return repeated;
  const fields = problemsOfTimes(request.times, nowMs).map(({ field, problem }) => ({ field: `?${field}`, problem }));
  if (fields.length > 0) throw new AppError('invalid_request', { fields });
  if (connection.account === undefined) throw new AppError('connection_not_paired');
  const { mostOpen = usualQuotas.openBulkSends } = request;
  if ((await bulkSends.listOpen(connectionId)).length >= mostOpen) throw noRoom('too_many_bulk_sends', mostOpen, 60);
  const problems = new Problems();
  const lines = await settle(dependencies, connection, hashed, { nowMs, problems });
  problems.throwAny();
  const bulk = toBulkSend(dependencies, request, nowMs);
  const packs = await packLines(lines);
  if ('noRoomFrom' in packs) throw noRoomFrom(packs.noRoomFrom);
  await sideBySide(packs, (pack) => bulkLines.keep(bulk, pack));
  const creation = await bulkSends.create(bulk, callerKey === undefined ? undefined : { callerKey, bodyHash });
  if (creation.outcome === 'conflict') throw new AppError('idempotency_conflict');
  return creation.outcome === 'repeated' ? read(dependencies, connection, creation.bulkSendId) : bulk;
}

/**
 * Finds the bulk send that was accepted under the key of a request before; undefined where none was, it has no key, or lines are wrong.
 * Throws `idempotency_conflict`.
 */
export async function findAcceptedBulkSend(
  dependencies: AcceptBulkDependencies,
  request: BulkRequest,
): Promise<BulkSend | undefined> {
  const problems = new Problems();
  const bodies = request.lines.map((line, index) => problems.try(index, () => toKnown(line)));
  const hashed = bodies.filter((body) => body !== undefined);
  return problems.isAny ? undefined : findAcceptedBulk(dependencies, request, hashOf(request, hashed));
}

async function findAcceptedBulk(
  dependencies: AcceptBulkDependencies,
  { connection, idempotencyKey: callerKey }: BulkRequest,
  bodyHash: string,
): Promise<BulkSend | undefined> {
  const key = { connectionId: connection.connectionId, callerKey, bodyHash, nowMs: dependencies.clock.nowMs() };
  const repeated = await findReserved<{ readonly bulkSendId: BulkSendId }>(dependencies, key);
  return repeated === undefined ? undefined : read(dependencies, connection, repeated.bulkSendId);
}

async function read(
  { bulkSends }: AcceptBulkDependencies,
  { connectionId }: Connection,
  bulkSendId: BulkSendId,
): Promise<BulkSend> {
  const bulk = await bulkSends.find(connectionId, bulkSendId);
  // The key is that of a message or an action, or of a bulk send that is not kept any more.
  if (bulk === undefined) throw new AppError('idempotency_conflict');
  return bulk;
}

/** The error of lines that are too much together, with all that they answer and forward. */
function noRoomFrom(line: number): AppError {
  const problem =
    'is too much with the lines before it and what they answer and forward: send it and all behind it in a request of their own';
  return new AppError('invalid_request', { fields: [{ field: fieldOfLine(line, ''), problem }] });
}

function toBulkSend({ random }: AcceptBulkDependencies, request: BulkRequest, nowMs: number): BulkSend {
  const { tenantId, connectionId, shard } = request.connection;
  const { notBeforeMs, expiresAtMs } = request.times;
  return {
    tenantId,
    connectionId,
    shard,
    bulkSendId: makeId('blk', nowMs, random),
    correlationId: request.correlationId,
    createdAtMs: nowMs,
    total: request.lines.length,
    notBeforeMs,
    expiresAtMs,
    untilMs: Math.min(expiresAtMs ?? Infinity, (notBeforeMs ?? nowMs) + LONGEST_MS),
    perMinute: request.perMinute,
    state: 'running',
    changes: 0,
    told: 0,
    changedAtMs: nowMs,
    released: 0,
    endedBefore: 0,
    startedAtMs: undefined,
    pacedAtMs: undefined,
    endedAtMs: undefined,
  };
}

/** A line that can be sent, with the address that its `to` stands for. */
interface KnownLine {
  readonly body: OutboundMessage;
  readonly to: string | undefined;
}

function toKnown(line: OutboundMessage | ImpossibleMessage | AppError): KnownLine {
  if (line instanceof AppError) throw line;
  const body = onlyPossible(line);
  if (splitMessage(body).envelope.not_before !== undefined) {
    const problem = 'is for all lines together: give it in the query';
    throw new AppError('invalid_request', { fields: [{ field: 'not_before', problem }] });
  }
  if (isAlbum(body)) {
    const problem = 'is an album, which becomes many messages by itself: send it alone';
    throw new AppError('invalid_request', { fields: [{ field: 'type', problem }] });
  }
  const to = body.to === undefined ? undefined : resolveRecipient(body.to);
  if (to !== undefined && isStatus(to) && !isAct(body)) {
    const problem = 'is a status, which goes to many by itself: send it alone';
    throw new AppError('invalid_request', { fields: [{ field: 'to', problem }] });
  }
  return { body, to };
}

/** All that makes two requests the same, however they are spelled. */
function hashOf({ times, perMinute }: BulkRequest, lines: readonly KnownLine[]): string {
  const hash = createHash('sha256').update(JSON.stringify(['bulk', times.notBeforeMs, times.expiresAtMs, perMinute]));
  for (const { body, to } of lines) hash.update(hashOfRequest(body, to));
  return hash.digest('hex');
}

/** Settles the lines that are known, and notes what is wrong with others. */
async function settle(
  { messages, files }: AcceptBulkDependencies,
  { connectionId, tenantId }: Connection,
  lines: readonly (KnownLine | undefined)[],
  { nowMs, problems }: { readonly nowMs: number; readonly problems: Problems },
): Promise<readonly BulkLine[]> {
  // Many lines may name one message, which is read once.
  const found = new Map<MessageId, Promise<Message | undefined>>();
  const find: NamedLookUp['messages']['find'] = (connection, messageId) => {
    const finding = found.get(messageId) ?? messages.find(connection, messageId);
    found.set(messageId, finding);
    return finding;
  };
  const known = files === undefined ? {} : { files: { tenantId, files: rememberFiles(files) } };
  const settled: BulkLine[] = [];
  await sideBySide([...lines.entries()], async ([index, line]) => {
    if (line === undefined) return;
    const { body, to } = line;
    const { expires_at: expiresAtMs, biz_opaque_callback_data: callbackData } = splitMessage(body).envelope;
    const fields = problemsOfTimes({ notBeforeMs: undefined, expiresAtMs }, nowMs);
    const outcome =
      fields.length > 0
        ? new AppError('invalid_request', { fields })
        : await settleRequest(body, to, nowMs, { messages: { find }, connectionId, ...known });
    if (outcome instanceof AppError) {
      problems.add(index, outcome);
      return;
    }
    settled[index] = {
      ...outcome,
      ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
      ...(callbackData === undefined ? {} : { callbackData }),
    };
  });
  return settled;
}

/** The files of a request, each of which many lines may name: it is looked up once. */
function rememberFiles({ find, bring }: FilesToSend): FilesToSend {
  const found = new Map<MediaId, Promise<FileToSend | undefined>>();
  const brought = new Map<string, Promise<FileToSend>>();
  return {
    find: (tenantId, mediaId) => {
      const finding = found.get(mediaId) ?? find(tenantId, mediaId);
      found.set(mediaId, finding);
      return finding;
    },
    bring: (tenantId, link) => {
      const bringing = brought.get(link) ?? bring(tenantId, link);
      brought.set(link, bringing);
      return bringing;
    },
  };
}

/** What is wrong with lines, by line. */
class Problems {
  readonly #found: (FieldProblem & { readonly line: number })[] = [];

  try<Value>(line: number, make: () => Value): Value | undefined {
    try {
      return make();
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      this.add(line, error);
      return undefined;
    }
  }

  add(line: number, { code, detail, fields }: AppError): void {
    // The first lines of a file that is wrong all over are enough.
    if (this.#found.length > MOST_PROBLEMS * SIDE_BY_SIDE) return;
    const own = fields.length > 0 ? fields : [{ field: '', problem: detail ?? errorRules[code].sentence }];
    for (const { field, problem } of own) this.#found.push({ line, field: fieldOfLine(line, field), problem });
  }

  get isAny(): boolean {
    return this.#found.length > 0;
  }

  throwAny(): void {
    if (this.#found.length === 0) return;
    const first = this.#found.toSorted((one, other) => one.line - other.line).slice(0, MOST_PROBLEMS);
    throw new AppError('invalid_request', { fields: first.map(({ field, problem }) => ({ field, problem })) });
  }
}

/** The name of a field of a line, whose number counts from 1 as editors do. */
export function fieldOfLine(line: number, field: string): string {
  return field === '' || field === '(body)' ? `lines.${line + 1}` : `lines.${line + 1}.${field}`;
}

async function sideBySide<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const waiting = items.values();
  const lane = async (): Promise<void> => {
    for (const item of waiting) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(SIDE_BY_SIDE, items.length) }, lane));
}
