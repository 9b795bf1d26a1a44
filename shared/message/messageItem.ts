import { messageKey } from '../platform/keys.ts';
import { expiryOf } from '../platform/expiry.ts';
import type { BulkSendId, ConnectionId, CorrelationId, MessageId, StanzaId, TenantId } from '../kernel/id.ts';
import type { InboundContent, OutboundContent } from '../content/content.ts';
import type { MediaFile } from '../content/mediaFile.ts';
import type { SentFileFacts } from '../media/sentFileFacts.ts';
import type { PartOf } from '../content/partOf.ts';
import {
  sendStates,
  type Message,
  type MessageCommon,
  type ReceivedMessage,
  type SendState,
  type SentMessage,
  type SentOriginal,
  type StoredOriginal,
} from './message.ts';
import type { MessageContext } from '../content/messageContext.ts';
import type { KeptPart } from './messageParts.ts';
import type { ParkReason } from './messageWait.ts';
import type { TrailPlace } from './liveTrail.ts';
import type { PollVotes } from './pollVotes.ts';
import type { SendError, SendErrorCode } from './sendError.ts';
import type { SentContext } from './sentContext.ts';
import type { StatusLook } from './statusLook.ts';

/** A message that is to be sent as its row, when it is written first. @param writeId names this writing of the row */
export function toSentItem(message: SentMessage, writeId?: string): Readonly<Record<string, unknown>> {
  return {
    ...messageKey(message.connectionId, message.messageId),
    ...message,
    error: message.error?.code,
    whatsappCode: message.error?.whatsappCode,
    rank: sendStates[message.state],
    writeId,
    ttl: expiryOf('message', message.notBeforeMs ?? message.createdAtMs),
  };
}

/** Whether a row is an edit or a deletion of another message, which shows what it says. */
export function isChange({ content }: Readonly<Record<string, unknown>>): boolean {
  const { type } = content as { readonly type: string };
  return type === 'edit' || type === 'revoke';
}

/** A stored row as a message. Only our own code writes rows, so a missing attribute is a bug and shows as undefined. */
export function toMessage(item: Record<string, unknown>): Message {
  const common = {
    tenantId: item['tenantId'] as TenantId,
    connectionId: item['connectionId'] as ConnectionId,
    messageId: item['messageId'] as MessageId,
    stanzaId: item['stanzaId'] as StanzaId,
    createdAtMs: item['createdAtMs'] as number,
    secret: item['secret'] as string | undefined,
    editedAtMs: item['editedAtMs'] as number | undefined,
    editedBy: item['editedBy'] as string | undefined,
    deletedAtMs: item['deletedAtMs'] as number | undefined,
    deletedBy: item['deletedBy'] as string | undefined,
    starred: item['starred'] as boolean | undefined,
    starredBy: item['starredBy'] as string | undefined,
    deletedForMeAtMs: item['deletedForMeAtMs'] as number | undefined,
    deletedForMeBy: item['deletedForMeBy'] as string | undefined,
    votes: item['votes'] as PollVotes | undefined,
    countedFrom: item['countedFrom'] as string | undefined,
    answeredBy: item['answeredBy'] as string | undefined,
  };
  return item['direction'] === 'out' ? toSent(common, item) : toReceived(common, item);
}

function toSent(common: MessageCommon, item: Record<string, unknown>): SentMessage {
  return {
    ...common,
    direction: 'out',
    to: item['to'] as string,
    resolvedTo: item['resolvedTo'] as string | undefined,
    toAlias: item['toAlias'] as string | undefined,
    content: item['content'] as OutboundContent,
    context: item['context'] as SentContext | undefined,
    original: item['original'] as SentOriginal | undefined,
    partOf: item['partOf'] as PartOf | undefined,
    foldedInto: item['foldedInto'] as MessageId | undefined,
    parts: item['parts'] as readonly KeptPart[] | undefined,
    look: item['look'] as StatusLook | undefined,
    callbackData: item['callbackData'] as string | undefined,
    bulkSendId: item['bulkSendId'] as BulkSendId | undefined,
    line: item['line'] as number | undefined,
    state: item['state'] as SendState,
    error: toSendError(item),
    correlationId: item['correlationId'] as CorrelationId,
    notBeforeMs: item['notBeforeMs'] as number | undefined,
    expiresAtMs: item['expiresAtMs'] as number | undefined,
    attempts: (item['attempts'] as number | undefined) ?? 0,
    limitedSinceMs: item['limitedSinceMs'] as number | undefined,
    sentFile: item['sentFile'] as SentFileFacts | undefined,
    parkedAs: item['parkedAs'] as string | undefined,
    parkedFor: item['parkedFor'] as ParkReason | undefined,
    toSelf: item['toSelf'] as true | undefined,
    endedAtMs: item['endedAtMs'] as number | undefined,
    members: item['members'] as number | undefined,
    statusBy: item['statusBy'] as 'first' | undefined,
    sentAtMs: item['sentAtMs'] as number | undefined,
    deliveredAtMs: item['deliveredAtMs'] as number | undefined,
    readAtMs: item['readAtMs'] as number | undefined,
  };
}

function toReceived(common: MessageCommon, item: Record<string, unknown>): ReceivedMessage {
  return {
    ...common,
    direction: item['direction'] as 'in' | 'echo',
    chat: item['chat'] as string,
    chatAlias: item['chatAlias'] as string | undefined,
    sender: item['sender'] as string,
    senderAlias: item['senderAlias'] as string | undefined,
    senderName: item['senderName'] as string | undefined,
    senderUsername: item['senderUsername'] as string | undefined,
    content: item['content'] as InboundContent,
    flags: item['flags'] as readonly string[] | undefined,
    partOf: item['partOf'] as PartOf | undefined,
    foldedInto: item['foldedInto'] as MessageId | undefined,
    parts: item['parts'] as readonly KeptPart[] | undefined,
    trail: item['trail'] as readonly TrailPlace[] | undefined,
    movedAtMs: item['movedAtMs'] as number | undefined,
    foldedFrom: item['foldedFrom'] as string | undefined,
    files: item['files'] as readonly MediaFile[] | undefined,
    context: item['context'] as MessageContext | undefined,
    original: item['original'] as StoredOriginal | undefined,
    markedReadAtMs: item['markedReadAtMs'] as number | undefined,
  };
}

function toSendError(item: Record<string, unknown>): SendError | undefined {
  const code = item['error'] as SendErrorCode | undefined;
  const whatsappCode = item['whatsappCode'] as number | undefined;
  return code === undefined ? undefined : { code, ...(whatsappCode === undefined ? {} : { whatsappCode }) };
}
