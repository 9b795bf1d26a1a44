import { createHash } from 'node:crypto';
import { publicStatusOf, type Connection } from '../connection/connection.ts';
import type { ConnectionStatus } from '../connection/status.ts';
import { AppError } from '../kernel/appError.ts';
import { noRoom } from '../kernel/noRoom.ts';
import { makeId, type ActionId, type CorrelationId } from '../kernel/id.ts';
import { enqueueCommand, type CommandQueue } from '../message/command.ts';
import { usualQuotas } from '../platform/quotaRows.ts';
import type { Surroundings } from '../platform/surroundings.ts';
import type { FilesToSend } from '../media/filesToSend.ts';
import { settleNamed } from '../message/settleFile.ts';
import { findReserved, reserveIds, type ReserveDependencies, type ReservedKey } from '../message/idempotency.ts';
import {
  ACTION_REQUEST_BYTES,
  BEGIN_WITH_FILE_MS,
  BEGIN_WITHIN_MS,
  LONGEST_PARKED_MS,
  isEnded,
  type Action,
} from './action.ts';
import { rowOf, type ActionKind } from './actionKinds.ts';
import type { ActionStore } from './actionStore.ts';
import type { OpenActions } from './openActions.ts';

export interface AcceptActionDependencies
  extends Pick<Surroundings, 'clock' | 'random'>, CommandQueue, ReserveDependencies {
  readonly actions: ActionStore;
  readonly openActions: OpenActions;
  /** The files that actions may be made of; left out where none is. */
  readonly files?: FilesToSend;
}

export interface AcceptActionRequest {
  readonly connection: Connection;
  readonly kind: ActionKind;
  /** The request as the schema of its kind accepted it. */
  readonly request: Readonly<Record<string, unknown>>;
  /** The time until which it may wait for the connection to come online; undefined when it may not wait. */
  readonly expiresAtMs: number | undefined;
  readonly idempotencyKey: string | undefined;
  /** How many actions of the connection may be open; as many as is usual when left out. */
  readonly mostOpen?: number;
  readonly correlationId: CorrelationId;
}

/**
 * Accepts an action: its row is written first, then a command notifies the owner of the connection. Returns the action
 * as it stands; asked again under the same key, it is the same action, and its owner is notified again while it has not
 * begun. Throws `connection_not_paired`, `connection_off`, `connection_not_online`, `too_many_actions`,
 * `idempotency_conflict`, `invalid_request`, `payload_too_large`, `store_unavailable`, and for the file of one `media_not_found`, `media_awaited`,
 * `media_left`, `media_gone` and `media_failed`.
 */
export async function acceptAction(
  dependencies: AcceptActionDependencies,
  asked: AcceptActionRequest,
): Promise<Action> {
  const { actions, clock, random } = dependencies;
  const { connection, kind, correlationId } = asked;
  const { tenantId, connectionId } = connection;
  const nowMs = clock.nowMs();
  // A repeated request asks for nothing new: it gets its answer whatever has become of the connection meanwhile.
  const known = await findAcceptedAction(dependencies, asked);
  if (known !== undefined) return known;

  assertTimely(asked, nowMs);
  if (Buffer.byteLength(JSON.stringify(asked.request)) > ACTION_REQUEST_BYTES) {
    throw new AppError('payload_too_large', {
      detail: 'What is asked of an action may be 64 KB as JSON. Ask for less at a time.',
    });
  }
  const account = await assertAcceptable(dependencies, asked);
  const request = await withFile(dependencies, asked);
  const { actionId } = await reserveIds(dependencies, keyOf(asked, nowMs), { actionId: makeId('act', nowMs, random) });
  const action = await actions.create({
    actionId,
    tenantId,
    connectionId,
    kind,
    account,
    request,
    state: 'accepted',
    correlationId,
    createdAtMs: nowMs,
    expiresAtMs: asked.expiresAtMs ?? nowMs + beginWithinMs(kind),
    attempts: 0,
  });
  return tellOwner(dependencies, connection, action);
}

/**
 * Finds the action that was accepted under the key of a request before; undefined where none was, or it has no key. Its owner is notified again
 * while it has not ended. Throws `idempotency_conflict`, `store_unavailable`.
 */
export async function findAcceptedAction(
  dependencies: AcceptActionDependencies,
  asked: AcceptActionRequest,
): Promise<Action | undefined> {
  const key = keyOf(asked, dependencies.clock.nowMs());
  const repeated = await findReserved<{ readonly actionId: ActionId }>(dependencies, key);
  const known = repeated && (await dependencies.actions.find(key.connectionId, repeated.actionId));
  return known === undefined ? undefined : tellOwner(dependencies, asked.connection, known);
}

function keyOf(asked: AcceptActionRequest, nowMs: number): ReservedKey {
  const { connectionId } = asked.connection;
  return { connectionId, callerKey: asked.idempotencyKey, bodyHash: hashOf(asked), nowMs };
}

/**
 * Notifies the owner. The queue accepts a command for an action once in five minutes, and a worker does an action once,
 * however often it is notified.
 */
async function tellOwner(
  dependencies: AcceptActionDependencies,
  { shard }: Connection,
  action: Action,
): Promise<Action> {
  if (isEnded(action)) return action;
  const { tenantId, connectionId, correlationId, actionId } = action;
  const command = { version: 1, kind: 'action', tenantId, connectionId, correlationId, actionId } as const;
  try {
    await enqueueCommand(dependencies, shard, command, actionId);
  } catch (cause) {
    throw new AppError('store_unavailable', { cause, retryAfterSeconds: 2 });
  }
  return action;
}

/**
 * The statuses in which a connection may be asked. During a hand-off it is away for seconds: that is no reason to
 * refuse anything.
 */
const ASKABLE: ReadonlySet<ConnectionStatus> = new Set<ConnectionStatus>(['online', 'handing_off']);

/** Refuses what cannot be asked now. Returns the account that it is asked of, by its phone-number address. */
async function assertAcceptable(
  { openActions }: AcceptActionDependencies,
  { connection, expiresAtMs, mostOpen = usualQuotas.openActions }: AcceptActionRequest,
): Promise<string> {
  if (connection.account === undefined) throw new AppError('connection_not_paired');
  if (connection.wanted === 'off') throw new AppError('connection_off');
  if (!ASKABLE.has(connection.status) && expiresAtMs === undefined) {
    const { sentence } = publicStatusOf(connection);
    const detail = `This connection is not online: ${sentence} Ask again when its status is online, or give expires_at to have it done when it comes online until then.`;
    throw new AppError('connection_not_online', { detail });
  }
  const open = mostOpen > 0 ? await openActions.ofConnection(connection, mostOpen) : [];
  if (open.length >= mostOpen) throw noRoom('too_many_actions', mostOpen, 10);
  return connection.account.phoneJid;
}

/** The request as it is kept: a file is named by its id alone, also where the caller gave a link, which is fetched from then on. */
async function withFile(
  { files }: Pick<AcceptActionDependencies, 'files'>,
  { connection: { tenantId }, kind, request }: AcceptActionRequest,
): Promise<AcceptActionRequest['request']> {
  if (rowOf(kind).file === undefined) return request;
  if (files === undefined) throw new Error('nobody here knows any files');
  const { id, link, ...others } = request as { readonly id?: string; readonly link?: string };
  if ((id === undefined) === (link === undefined)) {
    throw new AppError('invalid_request', { fields: [{ field: 'id', problem: 'must have either id or link' }] });
  }
  const file = await settleNamed({ id, link }, { tenantId, files }, '');
  if (file instanceof AppError) throw file;
  return { ...others, id: file.mediaId };
}

/** How long an action of a kind may wait to be begun when the caller says nothing, in milliseconds. */
export function beginWithinMs(kind: ActionKind): number {
  return rowOf(kind).file === undefined ? BEGIN_WITHIN_MS : BEGIN_WITH_FILE_MS;
}

function assertTimely({ expiresAtMs, kind }: AcceptActionRequest, nowMs: number): void {
  if (expiresAtMs === undefined || (expiresAtMs > nowMs && expiresAtMs <= nowMs + LONGEST_PARKED_MS)) return;
  const problem = 'must be in the future, and at most 7 days from now';
  const field = rowOf(kind).method === 'GET' ? '?expires_at' : 'expires_at';
  throw new AppError('invalid_request', { fields: [{ field, problem }] });
}

/** The hash by which two requests are the same. */
function hashOf({ kind, request, expiresAtMs }: AcceptActionRequest): string {
  return createHash('sha256')
    .update(JSON.stringify([kind, request, expiresAtMs ?? null]))
    .digest('hex');
}
