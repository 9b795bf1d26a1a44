import type { BulkSendId, ConnectionId, CorrelationId, MessageId, StanzaId, TenantId } from '../kernel/id.ts';
import type { ContentType, InboundContent, OutboundContent } from '../content/content.ts';
import type { MediaFile } from '../content/mediaFile.ts';
import type { SentFileFacts } from '../media/sentFileFacts.ts';
import type { PartOf } from '../content/partOf.ts';
import type { MessageContext } from '../content/messageContext.ts';
import type { KeptPart } from './messageParts.ts';
import type { ParkReason } from './messageWait.ts';
import type { TrailPlace } from './liveTrail.ts';
import type { PollVotes } from './pollVotes.ts';
import type { SendError } from './sendError.ts';
import type { StatusLook } from './statusLook.ts';
import type { SentContext } from './sentContext.ts';

/**
 * States of a message that we send; they only move forward. `queued` is what 202 promises, or `scheduled` where the caller
 * named a time; a message ends in exactly one of `sent … played`, `failed`, `expired`, `cancelled`.
 */
export const sendStates = {
  scheduled: 0,
  queued: 1,
  parked: 2,
  sending: 3,
  sent: 4,
  delivered: 5,
  read: 6,
  played: 7,
  failed: 100,
  expired: 100,
  cancelled: 100,
} as const satisfies Record<string, number>;
export type SendState = keyof typeof sendStates;

/** Whether a message in state `from` may become `to`. Ends are final, and nothing goes back. */
export function movesForward(from: SendState, to: SendState): boolean {
  return sendStates[from] < sendStates[to] && !(isSent(from) && sendStates[to] >= sendStates.failed);
}

/** Whether WhatsApp has the message. */
export function isSent(state: SendState): boolean {
  return sendStates[state] >= sendStates.sent && sendStates[state] <= sendStates.played;
}

/** Whether the message has ended, so that nothing is tried any more. */
export function isDone(state: SendState): boolean {
  return sendStates[state] >= sendStates.sent;
}

/**
 * The time after which a message that never reached the queue is given up, in milliseconds (docs/protocol.md,
 * "Accept").
 */
export const ACCEPT_LIMIT_MS = 15 * 60_000;

export interface MessageCommon {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
  readonly messageId: MessageId;
  readonly stanzaId: StanzaId;
  readonly createdAtMs: number;
  /** The secret that opens what others seal for this message, such as votes and edits, in base64url. */
  readonly secret?: string | undefined;
  /** When it was last edited, and the stanza that did. */
  readonly editedAtMs?: number | undefined;
  readonly editedBy?: string | undefined;
  /** When it was taken back, and the stanza that did; its content is kept. */
  readonly deletedAtMs?: number | undefined;
  readonly deletedBy?: string | undefined;
  /** Whether the account has put a star on it, and the change that said so last. */
  readonly starred?: boolean | undefined;
  readonly starredBy?: string | undefined;
  /** When the account deleted it for itself alone, and the change that said so. */
  readonly deletedForMeAtMs?: number | undefined;
  readonly deletedForMeBy?: string | undefined;
  /** The votes in a poll, and the stanza that was counted last. */
  readonly votes?: PollVotes | undefined;
  readonly countedFrom?: string | undefined;
  /** The stanza that first chose of its options without quoting it. */
  readonly answeredBy?: string | undefined;
}

/** A message that a tenant asked us to send. */
export interface SentMessage extends MessageCommon {
  readonly direction: 'out';
  /** The address that was asked for. */
  readonly to: string;
  /** The address that WhatsApp named for it, where that is another one. */
  readonly resolvedTo?: string | undefined;
  /** The other name of the recipient, where it is known. */
  readonly toAlias?: string | undefined;
  readonly content: OutboundContent;
  readonly context?: SentContext | undefined;
  /** Words of the tenant, which come back with each status. */
  readonly callbackData?: string | undefined;
  /** The album of which it is a part, and our id of that once more, by which lists leave it out. */
  readonly partOf?: PartOf | undefined;
  readonly foldedInto?: MessageId | undefined;
  /** The parts of an album, in their order. */
  readonly parts?: readonly KeptPart[] | undefined;
  /** The look of a status, where its request names one. */
  readonly look?: StatusLook | undefined;
  /** The message that it acts on, where it does. */
  readonly original?: SentOriginal | undefined;
  readonly state: SendState;
  /** The bulk send that it belongs to, and its line there; 0 is the first. */
  readonly bulkSendId?: BulkSendId | undefined;
  readonly line?: number | undefined;
  readonly error: SendError | undefined;
  readonly correlationId: CorrelationId;
  /** The time before which it does not leave; it was `scheduled` for it. */
  readonly notBeforeMs?: number | undefined;
  /** The time after which no try of it begins. */
  readonly expiresAtMs?: number | undefined;
  /**
   * How often this command was tried on a socket. A try that a limit of WhatsApp ended before it began is not counted.
   */
  readonly attempts: number;
  /** Since when WhatsApp limits a look-up that the message needs. */
  readonly limitedSinceMs?: number | undefined;
  /** What it said of its file when it left, where it was one. */
  readonly sentFile?: SentFileFacts | undefined;
  /** The place of the message among the parked ones of the connection, once it was parked. */
  readonly parkedAs?: string | undefined;
  /** Why it was parked last. */
  readonly parkedFor?: ParkReason | undefined;
  /** Whether the account wrote to itself. */
  readonly toSelf?: true | undefined;
  /** The time at which it failed, expired or was cancelled. */
  readonly endedAtMs?: number | undefined;
  /** The number of members of the group that it went to, without the account itself. */
  readonly members?: number | undefined;
  /** Whether its state is that of the first member, as the settings said when it was sent; else that of the slowest. */
  readonly statusBy?: 'first' | undefined;
  readonly sentAtMs: number | undefined;
  readonly deliveredAtMs: number | undefined;
  readonly readAtMs: number | undefined;
}

/** A message that WhatsApp delivered to us: a contact's, or the account's own from another device. */
export interface ReceivedMessage extends MessageCommon {
  readonly direction: 'in' | 'echo';
  readonly chat: string;
  /** The other names of chat and sender, where they are known. */
  readonly chatAlias?: string | undefined;
  readonly sender: string;
  readonly senderAlias?: string | undefined;
  readonly senderName: string | undefined;
  /** The handle of the sender, where WhatsApp told it. It is no address: another person may have it tomorrow. */
  readonly senderUsername?: string | undefined;
  readonly content: InboundContent;
  /** The wrappings of the message, such as `viewOnce`. */
  readonly flags: readonly string[] | undefined;
  readonly partOf?: PartOf | undefined;
  /** The message of which it is a part, where that is known. */
  readonly foldedInto?: MessageId | undefined;
  /** The parts of the message, in the order in which they came. */
  readonly parts?: readonly KeptPart[] | undefined;
  /** The earlier places of a live location, the oldest first, and the time of the one in its content. */
  readonly trail?: readonly TrailPlace[] | undefined;
  readonly movedAtMs?: number | undefined;
  /** The stanza that last brought a part or a place. */
  readonly foldedFrom?: string | undefined;
  /** What is needed to fetch its files, which no tenant sees. */
  readonly files?: readonly MediaFile[] | undefined;
  /** When the tenant had it marked as read, and with it those before it in its chat. */
  readonly markedReadAtMs?: number | undefined;
  readonly context?: MessageContext | undefined;
  /** The message that it is about, such as the one that a reaction is for. */
  readonly original?: StoredOriginal | undefined;
}

/** A message that another one is about, as a row keeps it. */
export interface StoredOriginal {
  readonly stanzaId: string;
  readonly messageId?: string | undefined;
  readonly sender?: string | undefined;
  readonly senderAlias?: string | undefined;
}

/** A message that a tenant acts on, with all that WhatsApp needs to know of it. Without a sender it is the account's own. */
export interface SentOriginal extends StoredOriginal {
  readonly messageId: MessageId;
  readonly type: ContentType;
  /** The parts with which something is sealed for it; left out where the act is not sealed. */
  readonly seal?: OriginalSeal | undefined;
}

/** What a seal for a message is made with, beside its id. No tenant sees it. */
export interface OriginalSeal {
  /** The secret of that message, in base64url. */
  readonly secret: string;
  /**
   * An address in the form, number or LID, in which people are called there: the one under which its author wrote it, or
   * the one that it went to, if that was the account itself.
   */
  readonly known: string;
}

export type Message = SentMessage | ReceivedMessage;
