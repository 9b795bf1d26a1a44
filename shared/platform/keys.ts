import { createHash } from 'node:crypto';
import { encodeTime } from 'ulid';
import type {
  ActionId,
  ApiKeyId,
  BulkSendId,
  ConnectionId,
  DeliveryId,
  EndpointId,
  EventPosition,
  MediaId,
  MessageId,
  TenantId,
} from '../kernel/id.ts';

/**
 * Every key of the Core table, in one place. The tenant stands in the key of each record that a tenant reads, so
 * another tenant's record is not found rather than forbidden. Records that belong to a connection are keyed by the
 * connection: callers read the connection under its tenant first.
 */
export interface ItemKey {
  readonly pk: string;
  readonly sk: string;
}

const padded = (number: number, digits: number): string => String(number).padStart(digits, '0');
const digest = (...parts: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 40);

export const tenantKey = (tenantId: TenantId): ItemKey => ({ pk: `TENANT#${tenantId}`, sk: 'TENANT' });
/** The key by which operators list tenants, oldest first. */
export const tenantListKey = (tenantId: TenantId): ItemKey => ({ pk: TENANTS, sk: tenantId });
export const TENANTS = 'TENANTS#ALL';

/** The key of an API key, by the hash of its secret, so that authentication is one read. */
export const apiKeyKey = (secretHash: string): ItemKey => ({ pk: `KEY#${secretHash}`, sk: 'KEY' });
/** The key by which a tenant's API keys are listed, without a search by hash. */
export const tenantApiKeyKey = (tenantId: TenantId, keyId: ApiKeyId): ItemKey => ({
  pk: `TENANT#${tenantId}`,
  sk: `${API_KEY_PREFIX}${keyId}`,
});
export const API_KEY_PREFIX = 'KEY#';

export const connectionKey = (tenantId: TenantId, connectionId: ConnectionId): ItemKey => ({
  pk: `TENANT#${tenantId}`,
  sk: `CON#${connectionId}`,
});
export const CONNECTION_PREFIX = 'CON#';

/** Occupancy of a shard: how many connections are placed on it. Ownership is in the Fleet table. */
export const shardKey = (shard: number): ItemKey => ({ pk: `SHARD#${padded(shard, 4)}`, sk: 'SHARD' });
/** The partition of the sparse index of connections that are wanted online. */
export const shardIndexKey = (shard: number): string => `SHARD#${padded(shard, 4)}`;

export const pairingOfferKey = (connectionId: ConnectionId): ItemKey => ({ pk: `CON#${connectionId}`, sk: 'PAIRING' });

/** A place in the ring of the last changes of status. */
export const transitionKey = (connectionId: ConnectionId, place: number): ItemKey => ({
  pk: `CON#${connectionId}`,
  sk: `TRANSITION#${padded(place, 2)}`,
});
export const TRANSITION_PREFIX = 'TRANSITION#';

export const idempotencyKey = (connectionId: ConnectionId, callerKey: string): ItemKey => ({
  pk: `CON#${connectionId}`,
  sk: `IDEMPOTENCY#${digest(callerKey)}`,
});
export const messageKey = (connectionId: ConnectionId, messageId: MessageId): ItemKey => ({
  pk: `CON#${connectionId}`,
  sk: `MESSAGE#${messageId}`,
});
export const messagePartition = (connectionId: ConnectionId): string => `CON#${connectionId}`;
export const MESSAGE_PREFIX = 'MESSAGE#';
/** The versions of a message, in the order in which they came. */
export const versionPrefix = (messageId: MessageId): string => `VERSION#${messageId}#`;
export const versionKey = (
  connectionId: ConnectionId,
  messageId: MessageId,
  version: { readonly atMs: number; readonly stanzaId: string },
): ItemKey => ({
  pk: `CON#${connectionId}`,
  sk: `${versionPrefix(messageId)}${padded(version.atMs, 15)}#${digest(version.stanzaId)}`,
});
/** A file. It has a partition of its own, as many of one tenant come at once. */
export const mediaKey = (mediaId: MediaId): ItemKey => ({ pk: `MEDIA#${mediaId}`, sk: 'MEDIA' });
/** The small picture of a file, which is read seldom and would make each change of its row dear. */
export const thumbnailKey = (mediaId: MediaId): ItemKey => ({ pk: `MEDIA#${mediaId}`, sk: 'THUMBNAIL' });
/** The picture that a file was made, by what it is for. */
export const pictureKey = (mediaId: MediaId, as: string): ItemKey => ({ pk: `MEDIA#${mediaId}`, sk: `PICTURE#${as}` });
/** An object in the bucket: which files hold it, and what is counted of it. */
const objectPartition = ({ tenantId, name }: { readonly tenantId: TenantId; readonly name: string }): string =>
  `OBJECT#${tenantId}#${name}`;
export const objectKey = (object: { readonly tenantId: TenantId; readonly name: string }): ItemKey => ({
  pk: objectPartition(object),
  sk: 'OBJECT',
});
/** The files that hold a generation of an object. */
export const holderPrefix = (
  object: { readonly tenantId: TenantId; readonly name: string },
  generation: number,
): ItemKey => ({ pk: objectPartition(object), sk: `HELD#${padded(generation, 6)}#` });
export const holderKey = ({
  object,
  generation,
  holder,
}: {
  readonly object: { readonly tenantId: TenantId; readonly name: string };
  readonly generation: number;
  readonly holder: string;
}): ItemKey => {
  const { pk, sk } = holderPrefix(object, generation);
  return { pk, sk: `${sk}${holder}` };
};
/** The connections that were deleted, while files of their messages may still be kept. */
export const ERASURES = 'ERASURES';
export const erasureKey = (connectionId: ConnectionId): ItemKey => ({ pk: ERASURES, sk: connectionId });
/** What a tenant has chosen about its files. It stands apart from the tenant, whose secrets the function of files must not see. */
export const fileSettingsKey = (tenantId: TenantId): ItemKey => ({ pk: `FILES#${tenantId}`, sk: 'SETTINGS' });
/** A part of the sum of bytes that are kept for a tenant until some day. */
export const keptBytesKey = (tenantId: TenantId, day: number, share: number): ItemKey => ({
  pk: `KEPT#${tenantId}`,
  sk: `${padded(day, 6)}#${share}`,
});
/** The least key of such a sum of that day or a later one. */
export const firstKeptBytesKey = (tenantId: TenantId, day: number): ItemKey => ({
  pk: `KEPT#${tenantId}`,
  sk: padded(day, 6),
});
/** The files of a message that the account's phone was asked for, by the stanza that its answer names. */
export const askedFilePrefix = (connectionId: ConnectionId, stanzaId: string): ItemKey => ({
  pk: `CON#${connectionId}`,
  sk: `ASKED_FILE#${digest(stanzaId)}#`,
});
export const askedFileKey = (connectionId: ConnectionId, stanzaId: string, mediaId: MediaId): ItemKey => {
  const { pk, sk } = askedFilePrefix(connectionId, stanzaId);
  return { pk, sk: `${sk}${mediaId}` };
};
/** A file as it lies at WhatsApp, by what it is and what it is sent as. */
export const uploadKey = ({
  tenantId,
  file,
  as,
  convert,
  plain,
}: {
  readonly tenantId: TenantId;
  readonly file: string;
  readonly as: string;
  readonly convert: boolean;
  readonly plain: boolean;
}): ItemKey => ({
  pk: `UPLOAD#${tenantId}#${digest(file)}`,
  sk: `${as}${convert ? '' : AS_IT_IS}${plain ? PLAIN : ''}`,
});
const AS_IT_IS = '#AS_IT_IS';
const PLAIN = '#PLAIN';
/** What a file is uploaded as, by the sort key of its row. */
export const asOfUpload = (sk: string): { readonly as: string; readonly convert: boolean; readonly plain: boolean } => {
  const [as = '', ...how] = sk.split('#');
  return { as, convert: !how.includes(AS_IT_IS.slice(1)), plain: how.includes(PLAIN.slice(1)) };
};
/** How far a message to a group came with each of its members. */
export const receiptsKey = (connectionId: ConnectionId, messageId: MessageId): ItemKey => ({
  pk: `CON#${connectionId}`,
  sk: `RECEIPTS#${messageId}`,
});
/** The least sort key that a message of this millisecond, or of a later one, can have. */
export const firstMessageKey = (atMs: number): string => `${MESSAGE_PREFIX}msg_${encodeTime(atMs, 10)}`;
/** The number of queues by which the facts of a connection were spread last; 1 where there is no such row. */
export const eventQueueNoteKey = (connectionId: ConnectionId): ItemKey => ({
  pk: `CON#${connectionId}`,
  sk: 'EVENT_QUEUE',
});
/** A mark in a queue of facts to which ingest has come. */
export const queueMarkKey = (connectionId: ConnectionId, mark: string): ItemKey => ({
  pk: `CON#${connectionId}`,
  sk: `MARK#${mark}`,
});
/** The greatest number of queues for facts that any worker has used. The row is in the table Fleet. */
export const eventQueuesKey: ItemKey = { pk: 'EVENT_QUEUES', sk: 'EVENT_QUEUES' };

/** A fact that ingest has handled. */
export const handledFactKey = (connectionId: ConnectionId, factKey: string): ItemKey => ({
  pk: `CON#${connectionId}`,
  sk: `${FACT_PREFIX}${digest(factKey)}`,
});
export const FACT_PREFIX = 'FACT#';
/**
 * The notes by window of time: of connections that accepted messages in it, of those with something due in it, of those with a
 * message that is to be looked at then, and of deliveries whose next attempt is then. They are split, so that no partition runs hot.
 */
export type NoteKind = 'UNQUEUED' | 'DUE' | 'LOOK' | 'RETRY';
export const notePartition = (kind: NoteKind, window: number, bucket: number): string =>
  `${kind}#${padded(window, 10)}#${bucket}`;
export const noteKey = (
  kind: NoteKind,
  window: number,
  bucket: number,
  connectionId: ConnectionId,
  cause: string,
): ItemKey => ({
  pk: notePartition(kind, window, bucket),
  sk: `${connectionId}#${cause}`,
});
/** The note of a delivery whose next attempt is in a window. */
export const retryNoteKey = (
  window: number,
  bucket: number,
  { endpointId, deliveryId }: { readonly endpointId: EndpointId; readonly deliveryId: DeliveryId },
): ItemKey => ({ pk: notePartition('RETRY', window, bucket), sk: `${endpointId}#${deliveryId}` });
/** The window up to which the notes of a kind have been handled. */
export const noteCursorKey = (kind: NoteKind): ItemKey => ({ pk: kind, sk: 'CURSOR' });
/** All that is due on a connection at some time, by what is due and in the order of its times. */
export type DueWork = 'SEND' | 'END';
export const duePartition = (connectionId: ConnectionId): string => `DUE#${connectionId}`;
export const dueKey = (
  work: DueWork,
  connectionId: ConnectionId,
  { atMs, messageId }: { readonly atMs: number; readonly messageId: MessageId },
): ItemKey => ({ pk: duePartition(connectionId), sk: `${firstDueKey(work, atMs)}${messageId}` });
/** The least sort key of what is due at this time or later. */
export const firstDueKey = (work: DueWork, atMs: number): string => `${work}#${padded(atMs, 15)}#`;
/** The bulk sends of a connection that are not over, in the order in which they were accepted. */
export const OPEN_BULK_PREFIX = 'BULK#';
export const openBulkKey = (connectionId: ConnectionId, bulkSendId: BulkSendId): ItemKey => ({
  pk: duePartition(connectionId),
  sk: `${OPEN_BULK_PREFIX}${bulkSendId}`,
});
/** The bulk sends of a connection, in the order in which they were accepted. */
export const BULK_PREFIX = 'BULK#';
export const bulkSendKey = (connectionId: ConnectionId, bulkSendId: BulkSendId): ItemKey => ({
  pk: `CON#${connectionId}`,
  sk: `${BULK_PREFIX}${bulkSendId}`,
});
/** The lines of a bulk send, many in one item, under the first of them. */
export const bulkLinesPartition = (bulkSendId: BulkSendId): string => `BULK#${bulkSendId}`;
export const bulkLinesKey = (bulkSendId: BulkSendId, firstLine: number): ItemKey => ({
  pk: bulkLinesPartition(bulkSendId),
  sk: padded(firstLine, 6),
});
/** Parked messages of a connection, in the order in which SQS accepted them. */
export const parkedPartition = (connectionId: ConnectionId): string => `PARKED#${connectionId}`;
export const parkedKey = (connectionId: ConnectionId, sequenceNumber: string): ItemKey => ({
  pk: parkedPartition(connectionId),
  sk: sequenceNumber.padStart(40, '0'),
});

/** The actions of a connection, in the order in which they were asked for. */
export const actionPartition = (connectionId: ConnectionId): string => `CON#${connectionId}`;
export const actionKey = (connectionId: ConnectionId, actionId: ActionId): ItemKey => ({
  pk: actionPartition(connectionId),
  sk: `ACTION#${actionId}`,
});
export const ACTION_PREFIX = 'ACTION#';
/** The way from an action to its connection: callers name the action alone. */
export const actionPlaceKey = (tenantId: TenantId, actionId: ActionId): ItemKey => ({
  pk: `TENANT#${tenantId}`,
  sk: `ACTION#${actionId}`,
});
/** The actions of a shard that are not over, by connection: whoever owns the shard finds them by one query. */
export const openActionsPartition = (shard: number): string => `ACTIONS#${padded(shard, 4)}`;
export const openActionPrefix = (connectionId: ConnectionId): string => `${connectionId}#`;
export const openActionKey = (shard: number, connectionId: ConnectionId, actionId: ActionId): ItemKey => ({
  pk: openActionsPartition(shard),
  sk: `${openActionPrefix(connectionId)}${actionId}`,
});

/** The item that says into which generation of lanes a tenant's events go. */
export const eventDirectoryKey = (tenantId: TenantId): ItemKey => ({ pk: `TENANT#${tenantId}`, sk: 'EVENTS' });
type EventLane = Pick<EventPosition, 'generation' | 'lane'>;
const lanePartition = (tenantId: TenantId, { generation, lane }: EventLane): string =>
  `EVENTS#${tenantId}#${padded(generation, 4)}-${padded(lane, 2)}`;
/** The counter of a lane; it has a partition of its own, as it is written with every page. */
export const eventCounterKey = (tenantId: TenantId, lane: EventLane): ItemKey => ({
  pk: lanePartition(tenantId, lane),
  sk: 'COUNTER',
});
/** The number of pages of a lane in one partition before the next begins. */
export const PAGES_PER_PARTITION = 10_000;
export const eventPartition = (tenantId: TenantId, lane: EventLane, page: number): string =>
  `${lanePartition(tenantId, lane)}#${padded(Math.floor(page / PAGES_PER_PARTITION), 10)}`;
export const eventPageKey = (tenantId: TenantId, lane: EventLane, page: number): ItemKey => ({
  pk: eventPartition(tenantId, lane, page),
  sk: padded(page, 15),
});

/** The key of a ticket for a stream, by the hash of its secret. */
export const streamTicketKey = (secretHash: string): ItemKey => ({ pk: `TICKET#${secretHash}`, sk: 'TICKET' });
/** What stays at the log of a tenant and has a row of its own: a request that waits for an event. */
export type ReaderKind = 'waiting';
/** The places of a tenant's readers of a kind, and of its streams. They have a partition of their own. */
export const readerPartition = (
  tenantId: TenantId,
  kind: ReaderKind,
): { readonly pk: string; readonly prefix: string } => ({
  pk: `READERS#${tenantId}`,
  prefix: `${kind.toUpperCase()}#`,
});
export const readerSlotKey = (tenantId: TenantId, kind: ReaderKind, number: number): ItemKey => {
  const { pk, prefix } = readerPartition(tenantId, kind);
  return { pk, sk: `${prefix}${padded(number, 4)}` };
};

/** How many streams of a tenant each process has. */
export const streamPlacesKey = (tenantId: TenantId): ItemKey => ({ pk: `READERS#${tenantId}`, sk: 'STREAMS' });

export const endpointKey = (tenantId: TenantId, endpointId: EndpointId): ItemKey => ({
  pk: `TENANT#${tenantId}`,
  sk: `ENDPOINT#${endpointId}`,
});
export const ENDPOINT_PREFIX = 'ENDPOINT#';
export const attemptPartition = (endpointId: EndpointId): string => `ENDPOINT#${endpointId}`;
/** Attempts that ended together, under their endpoint in the order of the newest of them. */
export const attemptsKey = (
  endpointId: EndpointId,
  newest: { readonly atMs: number; readonly deliveryId: DeliveryId; readonly number: number },
): ItemKey => ({
  pk: attemptPartition(endpointId),
  sk: `ATTEMPT#${padded(newest.atMs, 15)}#${newest.deliveryId}#${padded(newest.number, 3)}`,
});
export const ATTEMPT_PREFIX = 'ATTEMPT#';
/** A delivery that waits in its queue for its next attempt. */
export const waitingDeliveryKey = (endpointId: EndpointId, deliveryId: DeliveryId): ItemKey => ({
  pk: attemptPartition(endpointId),
  sk: `WAITING#${deliveryId}`,
});
export const WAITING_PREFIX = 'WAITING#';
/** What is in one chain of an endpoint: the events of one connection, in strict order. */
export const chainPartition = (endpointId: EndpointId, connectionId: ConnectionId): string =>
  `${attemptPartition(endpointId)}#${connectionId}`;
/** An event of a chain, in the order of the connection. @param place an event id, or what sorts beside one */
export const chainedEventKey = (endpointId: EndpointId, connectionId: ConnectionId, place: string): ItemKey => ({
  pk: chainPartition(endpointId, connectionId),
  sk: `${CHAINED_PREFIX}${place}`,
});
export const CHAINED_PREFIX = 'EVENT#';
/** How far a chain has come. */
export const chainKey = (endpointId: EndpointId, connectionId: ConnectionId): ItemKey => ({
  pk: chainPartition(endpointId, connectionId),
  sk: 'CHAIN',
});
/** The places of batches of deliveries that wait for a receiver. */
export const patientPlacesKey: ItemKey = { pk: 'PATIENCE#DELIVERIES', sk: 'PLACES' };
/** The newest round of a delivery that was put into its queue anew. */
export const deliveryRoundKey = (endpointId: EndpointId, deliveryId: DeliveryId): ItemKey => ({
  pk: attemptPartition(endpointId),
  sk: `ROUND#${deliveryId}`,
});
