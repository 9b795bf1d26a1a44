import { createHash } from 'node:crypto';
import { decodeTime, ulid } from 'ulid';
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
/** Something that a tenant asked a connection to do or to look up, beside sending. Unique everywhere. */
export type ActionId = Branded<'ActionId'>;
/** One event in a tenant's log. Unique within the tenant; ids of one tenant sort in log order. */
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
  readonly act: ActionId;
  readonly end: EndpointId;
  readonly wrk: WorkerId;
  readonly cor: CorrelationId;
}

const ULID = /^[0-9A-HJKMNP-TV-Z]{26}$/;

/** Makes a new id of a kind, for example `makeId('con', Date.now(), systemRandom)` gives `con_01J…`. */
export function makeId<Kind extends keyof IdKinds>(kind: Kind, nowMs: number, random: Random): IdKinds[Kind] {
  return `${kind}_${ulid(nowMs, random.unit)}` as IdKinds[Kind];
}

/** Reads an id of a kind. Returns undefined for anything else, so a caller can answer "not found" without a look-up. */
export function parseId<Kind extends keyof IdKinds>(kind: Kind, text: string): IdKinds[Kind] | undefined {
  return text.startsWith(`${kind}_`) && ULID.test(text.slice(kind.length + 1)) ? (text as IdKinds[Kind]) : undefined;
}

const EVENT_DIGITS = 15;

/** The id of the event with this place in the tenant's log (1 is the first). */
export function makeEventId(sequence: number): EventId {
  return `evt_${String(sequence).padStart(EVENT_DIGITS, '0')}` as EventId;
}

/** The place of an event in its tenant's log, or undefined if the text is no event id. */
export function parseEventId(text: string): number | undefined {
  return /^evt_[0-9]{15}$/.test(text) ? Number(text.slice(4)) : undefined;
}

/** The id of the delivery of an event to an endpoint. */
export function makeDeliveryId(endpointId: EndpointId, eventId: EventId): DeliveryId {
  return `dlv_${endpointId.slice(4)}_${Number(eventId.slice(4))}` as DeliveryId;
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
  const digest = createHash('sha256')
    .update(JSON.stringify([connectionId, stanza.chat, stanza.sender, stanza.stanzaId]))
    .digest();
  let next = 0;
  const fromDigest = (): number => (digest[next++ % digest.length] ?? 0) / 256;
  return `msg_${ulid(stanza.timestampMs, fromDigest)}` as MessageId;
}

/**
 * The time at which an id was made, in milliseconds since 1970; for ids that carry a ULID, which are all but those of
 * events and deliveries.
 */
export function timeOfId(id: string): number {
  return decodeTime(id.slice(id.indexOf('_') + 1));
}
