import { createHash } from 'node:crypto';
import { decodeTime, encodeTime, ulid } from 'ulid';
import type { Random } from './random.ts';

/**
 * Ids are types with a visible prefix. Only this file makes or checks them; all other code treats them as opaque text.
 * All but event ids carry a ULID, so they sort by the time at which they were made.
 */
type Branded<Brand extends string> = string & { readonly __brand: Brand };

/** A customer organisation. Unique everywhere. */
export type TenantId = Branded<'TenantId'>;
/** An API key (not its secret). Unique everywhere. */
export type ApiKeyId = Branded<'ApiKeyId'>;
/** One linked WhatsApp account that a tenant wants online. Unique everywhere. */
export type ConnectionId = Branded<'ConnectionId'>;
/** Our id of one message, sent or received. Unique everywhere; never WhatsApp's id, which is a {@link StanzaId}. */
export type MessageId = Branded<'MessageId'>;
/** One file: of a message that came, or one that a tenant gave us. Unique everywhere. */
export type MediaId = Branded<'MediaId'>;
/** Many messages that a tenant asked for in one request. Unique everywhere. */
export type BulkSendId = Branded<'BulkSendId'>;
/** Something that a tenant asked a connection to do or to look up, beside sending. Unique everywhere. */
export type ActionId = Branded<'ActionId'>;
/** Conversations that a tenant has written to files. Unique everywhere. */
export type ExportId = Branded<'ExportId'>;
/** A person whom a tenant has erased everywhere. Unique everywhere. */
export type ErasureId = Branded<'ErasureId'>;
/** One entry of a trail of audit. Unique everywhere. */
export type AuditId = Branded<'AuditId'>;
/** A link to the pairing page of a connection. Unique everywhere. */
export type PairingLinkId = Branded<'PairingLinkId'>;
/** One event in a tenant's log. Unique within the tenant; ids of one connection sort in log order. */
export type EventId = Branded<'EventId'>;
/** A tenant's webhook URL with its secret. Unique everywhere. */
export type EndpointId = Branded<'EndpointId'>;
/** One event for one endpoint. The same pair always has the same id. */
export type DeliveryId = Branded<'DeliveryId'>;
/** One run of a worker process (its incarnation). Unique everywhere. */
export type WorkerId = Branded<'WorkerId'>;
/** WhatsApp's id of one message stanza. Unique within connection, chat and sender. */
export type StanzaId = Branded<'StanzaId'>;
/** One id for a request that is followed through command, fact, event, delivery and log. */
export type CorrelationId = Branded<'CorrelationId'>;

interface IdKinds {
  readonly tnt: TenantId;
  readonly key: ApiKeyId;
  readonly con: ConnectionId;
  readonly msg: MessageId;
  readonly med: MediaId;
  readonly blk: BulkSendId;
  readonly act: ActionId;
  readonly exp: ExportId;
  readonly ers: ErasureId;
  readonly aud: AuditId;
  readonly end: EndpointId;
  readonly plk: PairingLinkId;
  readonly wrk: WorkerId;
  readonly cor: CorrelationId;
}

/** The characters of a ULID that are its time. */
const TIME_CHARACTERS = 10;
const ULID = /^[0-9A-HJKMNP-TV-Z]{26}$/;

/** Makes a new id of a kind, for example `makeId('con', Date.now(), systemRandom)` gives `con_01J…`. */
export function makeId<Kind extends keyof IdKinds>(kind: Kind, nowMs: number, random: Random): IdKinds[Kind] {
  return `${kind}_${ulid(nowMs, random.unit)}` as IdKinds[Kind];
}

/** The least text that an id of a kind and of this millisecond, or of a later one, can be. */
export function firstIdOf(kind: keyof IdKinds, atMs: number): string {
  return `${kind}_${encodeTime(atMs, TIME_CHARACTERS)}`;
}

/** Reads an id of a kind. Returns undefined for anything else, so a caller can answer "not found" without a look-up. */
export function parseId<Kind extends keyof IdKinds>(kind: Kind, text: string): IdKinds[Kind] | undefined {
  return text.startsWith(`${kind}_`) && ULID.test(text.slice(kind.length + 1)) ? (text as IdKinds[Kind]) : undefined;
}

/** Where an event stands: in which lane of which generation of its tenant's log, on which page, and where on that page. */
export interface EventPosition {
  readonly generation: number;
  readonly lane: number;
  /** 1 is the first page of a lane. */
  readonly page: number;
  /** 0 is the first event of a page. */
  readonly index: number;
}

/** The digits of an event id, in the order in which ids sort. Letters that look like digits are left out. */
const EVENT_DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const EVENT_PARTS = [
  ['generation', 2],
  ['lane', 2],
  ['page', 9],
  ['index', 2],
] as const satisfies readonly (readonly [keyof EventPosition, number])[];

/** The id of the event with this position. Throws RangeError for a position that no id can name. */
export function makeEventId(position: EventPosition): EventId {
  return `evt_${EVENT_PARTS.map(([part, length]) => toDigits(position[part], length)).join('')}` as EventId;
}

/** The position of an event, or undefined if the text is no event id. */
export function parseEventId(text: string): EventPosition | undefined {
  if (!/^evt_[0-9A-HJKMNP-TV-Z]{15}$/.test(text)) return undefined;
  let next = 'evt_'.length;
  const read = (length: number): number => {
    let value = 0;
    for (const end = next + length; next < end; next++) {
      value = value * EVENT_DIGITS.length + EVENT_DIGITS.indexOf(text.charAt(next));
    }
    return value;
  };
  const [generation, lane, page, index] = EVENT_PARTS.map(([, length]) => read(length)) as [
    number,
    number,
    number,
    number,
  ];
  return { generation, lane, page, index };
}

function toDigits(value: number, length: number): string {
  let text = '';
  let rest = value;
  while (text.length < length) {
    text = `${EVENT_DIGITS[rest % EVENT_DIGITS.length]}${text}`;
    rest = Math.floor(rest / EVENT_DIGITS.length);
  }
  if (rest !== 0 || !Number.isSafeInteger(value) || value < 0) throw new RangeError('no event id names this position');
  return text;
}

/** The id of the delivery of an event to an endpoint. */
export function makeDeliveryId(endpointId: EndpointId, eventId: EventId): DeliveryId {
  return `dlv_${endpointId.slice(4)}_${eventId.slice(4)}` as DeliveryId;
}

/** The id of the delivery of several events to an endpoint. @param digest of the events, in capital letters and digits */
export function makeBatchDeliveryId(endpointId: EndpointId, digest: string): DeliveryId {
  return `dlv_${endpointId.slice(4)}_${digest}` as DeliveryId;
}

/** The id of the delivery that stands for all that waits in the chain of a connection. */
export function makeChainDeliveryId(endpointId: EndpointId, connectionId: ConnectionId): DeliveryId {
  return `dlv_${endpointId.slice(4)}_${connectionId.slice(4)}` as DeliveryId;
}

/** Whether a text is the id of a delivery to an endpoint. */
export function isDeliveryIdOf(endpointId: EndpointId, text: string): text is DeliveryId {
  const beginning = `dlv_${endpointId.slice(4)}_`;
  return text.startsWith(beginning) && /^[0-9A-Z]{1,64}$/.test(text.slice(beginning.length));
}

/** A stanza id in the form that WhatsApp Web uses: `3EB0` and 18 hex digits. */
export function makeStanzaId(random: Random): StanzaId {
  return `3EB0${Buffer.from(random.bytes(9)).toString('hex').toUpperCase()}` as StanzaId;
}

/**
 * Reads a correlation id that a caller gave: 8 to 64 of `A-Z a-z 0-9 . _ -`. Returns undefined for anything else; the
 * caller of this function then makes a new one.
 */
export function parseCorrelationId(text: string | undefined): CorrelationId | undefined {
  return text !== undefined && /^[A-Za-z0-9._-]{8,64}$/.test(text) ? (text as CorrelationId) : undefined;
}

/**
 * The message id of a message that came from WhatsApp: the same fact always gets the same id. Its ULID carries a time
 * that grows from message to message, so that ids sort as the messages came, and instead of randomness a hash of the
 * message's unique parts.
 */
export function deriveMessageId(
  connectionId: ConnectionId,
  stanza: { readonly chat: string; readonly sender: string; readonly stanzaId: string; readonly timestampMs: number },
): MessageId {
  return `msg_${derivedUlid(stanza.timestampMs, [connectionId, stanza.chat, stanza.sender, stanza.stanzaId])}` as MessageId;
}

/** The id of a file of a message: the same place in the same message always has the same id. @param place 0 is the first */
export function deriveMediaId(messageId: MessageId, place: number): MediaId {
  return `med_${derivedUlid(timeOfId(messageId), [messageId, place])}` as MediaId;
}

/** The id of the file behind a link: the same link of a tenant has one id within a window of time, which begins at `windowMs`. */
export function deriveLinkedMediaId(tenantId: TenantId, link: string, windowMs: number): MediaId {
  return `med_${derivedUlid(windowMs, [tenantId, link, windowMs])}` as MediaId;
}

/**
 * The id of a message that a history brought. Its ULID carries WhatsApp's time, then the tag of its chat, by which it is found, and a hash of
 * its unique parts: the same message always gets the same id.
 */
export function derivePastMessageId(
  connectionId: ConnectionId,
  stanza: { readonly chat: string; readonly sender: string; readonly stanzaId: string; readonly timestampMs: number },
): MessageId {
  const { chat, sender, stanzaId, timestampMs } = stanza;
  const derived = derivedUlid(timestampMs, [connectionId, chat, sender, stanzaId]);
  const tagged = derived.slice(0, TIME_CHARACTERS) + tagOfChat(chat) + derived.slice(TIME_CHARACTERS + TAG_CHARACTERS);
  return `msg_${tagged}` as MessageId;
}

/** The characters behind the time of a ULID that name the chat of a past message. */
const TAG_CHARACTERS = 5;

/** The tag of a chat in the ids of its past messages: 25 bits, so two chats may share one. */
export function tagOfChat(chat: string): string {
  return derivedUlid(0, [chat]).slice(TIME_CHARACTERS, TIME_CHARACTERS + TAG_CHARACTERS);
}

/** The tag that an id has, if it is that of a past message. */
export function tagOfPastId(messageId: MessageId): string {
  const from = 'msg_'.length + TIME_CHARACTERS;
  return messageId.slice(from, from + TAG_CHARACTERS);
}

function derivedUlid(timestampMs: number, parts: readonly unknown[]): string {
  const digest = createHash('sha256').update(JSON.stringify(parts)).digest();
  let next = 0;
  const fromDigest = (): number => (digest[next++ % digest.length] ?? 0) / 256;
  return ulid(timestampMs, fromDigest);
}

/**
 * The time at which an id was made, in milliseconds since 1970; for ids that carry a ULID, which are all but those of
 * events and deliveries.
 */
export function timeOfId(id: string): number {
  return decodeTime(id.slice(id.indexOf('_') + 1));
}
