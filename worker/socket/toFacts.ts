import { createHash } from 'node:crypto';
import { getBinaryNodeChild, getContentType, proto, unpadRandomMax16, type BinaryNode } from '@whiskeysockets/baileys';
import type { CallFact, MessageFact, ReceiptFact } from '../../shared/event/internalEvent.ts';
import type { StanzaId } from '../../shared/kernel/id.ts';
import { isLid, withoutDevice } from '../../shared/kernel/jid.ts';
import type { InboundContent } from '../../shared/message/content.ts';

/** Translates what WhatsApp delivered into facts of ours. Pure; nothing past here speaks WhatsApp's language. */
export interface Me {
  readonly phoneJid: string;
  readonly lid: string | undefined;
}

/** Parts of a message that are bookkeeping between devices and not something that a person wrote. */
const BOOKKEEPING: ReadonlySet<string> = new Set(['senderKeyDistributionMessage', 'messageContextInfo']);
const PROTOCOL_KINDS: Readonly<Record<number, string>> = {
  [proto.Message.ProtocolMessage.Type.REVOKE]: 'revoke',
  [proto.Message.ProtocolMessage.Type.MESSAGE_EDIT]: 'edit',
};

/**
 * The message that was sealed; what another of our own devices has sent is unwrapped.
 * @param padded what the cipher gave, still padded
 */
export function toMessage(padded: Uint8Array): proto.IMessage | undefined {
  const decoded = decodePadded(padded);
  return decoded?.deviceSentMessage?.message ?? decoded;
}

/**
 * The message that the cipher gave, or undefined when it is none. What is inside is the sender's choice: if nonsense were a
 * failure, it would come back with each redelivery and nothing behind it could ever be handled.
 */
export function decodePadded(padded: Uint8Array): proto.Message | undefined {
  return orNothing(() => proto.Message.decode(unpadRandomMax16(padded)));
}

/** The post that a newsletter brings: not sealed, so that nothing of it comes by way of the cipher; undefined for all else. */
export function toNewsletterPost(stanza: BinaryNode): proto.IMessage | undefined {
  if (stanza.attrs['from']?.endsWith('@newsletter') !== true) return undefined;
  const content = getBinaryNodeChild(stanza, 'plaintext')?.content;
  return content instanceof Uint8Array ? orNothing(() => proto.Message.decode(content)) : undefined;
}

/** The fact of a call that somebody makes; undefined for what else is told of calls. */
export function toCallFact(stanza: BinaryNode, rejected: boolean): CallFact | undefined {
  const offer = getBinaryNodeChild(stanza, 'offer') ?? getBinaryNodeChild(stanza, 'offer_notice');
  const callId = offer?.attrs['call-id'];
  if (offer === undefined || callId === undefined) return undefined;
  const { 'call-creator': creator, 'group-jid': group, caller_pn: alias } = offer.attrs;
  const caller = withoutDevice(creator ?? stanza.attrs['from'] ?? '');
  return {
    kind: 'call',
    key: `call:${digest(callId, caller)}`,
    atMs: Number(stanza.attrs['t'] ?? 0) * 1_000,
    callId,
    caller,
    ...(alias === undefined || alias === caller ? {} : { callerAlias: withoutDevice(alias) }),
    ...(group === undefined ? {} : { group }),
    video: getBinaryNodeChild(offer, 'video') !== undefined,
    rejected,
  };
}

/** Its sender sealed nonsense. It is told like any other kind that has no form here. */
const MALFORMED: InboundContent = { type: 'unsupported', unsupported: { kind: 'malformed' } };

/**
 * The facts of a message: one, none when it is bookkeeping between devices, or those of the messages that our own
 * phone brings later because they had come without their content.
 * @param message undefined for nonsense
 * @param stanzaOf the stanza of such a message, where it is still known: it says more than the phone does
 */
export function toMessageFacts(
  stanza: BinaryNode,
  message: proto.IMessage | undefined,
  me: Me,
  stanzaOf: (stanzaId: string) => BinaryNode | undefined = () => undefined,
): readonly MessageFact[] {
  if (message === undefined) return [factOf(addressOf(stanza, me), MALFORMED)];
  const answer = message.protocolMessage?.peerDataOperationRequestResponseMessage;
  if (answer) {
    return isFromOwnPhone(stanza, me)
      ? (answer.peerDataOperationResult ?? []).flatMap((result) => factsOfAnswer(result, me, stanzaOf))
      : [];
  }
  return toFact(addressOf(stanza, me), message);
}

/** What an envelope says about a message: all of its fact but the content. */
type MessageAddress = Omit<MessageFact, 'kind' | 'key' | 'content'>;

/** Where a message belongs, by its stanza; a message without content says so too. */
export function addressOf({ attrs }: BinaryNode, me: Me): MessageAddress {
  const from = withoutDevice(attrs['from'] ?? '');
  // In a group, and in a broadcast, the sender is not where it comes from.
  const isGroup = from.endsWith('@g.us') || from.endsWith('@broadcast');
  const sender = isGroup ? withoutDevice(attrs['participant'] ?? '') : from;
  const fromMe = isMe(sender, me);
  const chat = isGroup ? from : fromMe ? withoutDevice(attrs['recipient'] ?? from) : from;
  const senderAlias = isGroup
    ? (attrs['participant_lid'] ?? attrs['participant_pn'])
    : (attrs['sender_lid'] ?? attrs['sender_pn']);
  const chatAlias = fromMe
    ? (attrs['recipient_lid'] ?? attrs['recipient_pn'] ?? attrs['peer_recipient_pn'])
    : senderAlias;
  return {
    atMs: Number(attrs['t'] ?? 0) * 1_000,
    stanzaId: (attrs['id'] ?? '') as StanzaId,
    chat,
    sender,
    ...(isGroup || chatAlias === undefined ? {} : { chatAlias: withoutDevice(chatAlias) }),
    ...(senderAlias === undefined ? {} : { senderAlias: withoutDevice(senderAlias) }),
    fromMe,
    ...(attrs['notify'] === undefined ? {} : { senderName: attrs['notify'] }),
  };
}

/** Whether a message is from our own account, in no group. The server writes the address: nobody else can have it. */
export function isFromOwnAccount({ attrs: { from = '' } }: BinaryNode, me: Me): boolean {
  return isMe(withoutDevice(from), me);
}

/** The same of the phone alone: device 0. */
function isFromOwnPhone(stanza: BinaryNode, me: Me): boolean {
  const { from = '' } = stanza.attrs;
  return withoutDevice(from) === from && isFromOwnAccount(stanza, me);
}

function factsOfAnswer(
  { placeholderMessageResendResponse }: proto.Message.PeerDataOperationRequestResponseMessage.IPeerDataOperationResult,
  me: Me,
  stanzaOf: (stanzaId: string) => BinaryNode | undefined,
): readonly MessageFact[] {
  const bytes = placeholderMessageResendResponse?.webMessageInfoBytes;
  if (!bytes?.length) return [];
  const { key, message, messageTimestamp, pushName } = orNothing(() => proto.WebMessageInfo.decode(bytes)) ?? {};
  const { id, remoteJid, participant, fromMe } = key ?? {};
  if (!id || !remoteJid || !message) return [];
  const chat = withoutDevice(remoteJid);
  const stanza = stanzaOf(id);
  const known = stanza === undefined ? undefined : addressOf(stanza, me);
  // An id is unique within its chat only.
  if (known !== undefined && (known.chat === chat || known.chatAlias === chat)) return toFact(known, message);
  const own = isLid(chat) ? (me.lid ?? me.phoneJid) : me.phoneJid;
  const address: MessageAddress = {
    atMs: Number(messageTimestamp ?? 0) * 1_000,
    stanzaId: id as StanzaId,
    chat,
    sender: participant ? withoutDevice(participant) : fromMe === true ? own : chat,
    fromMe: fromMe === true,
    ...(pushName ? { senderName: pushName } : {}),
  };
  return toFact(address, message);
}

function toFact(address: MessageAddress, message: proto.IMessage): readonly MessageFact[] {
  const content = toContent(message.deviceSentMessage?.message ?? message);
  return content === undefined ? [] : [factOf(address, content)];
}

function factOf(address: MessageAddress, content: InboundContent): MessageFact {
  const { chat, sender, stanzaId } = address;
  return { kind: 'message', key: `message:${digest(chat, sender, stanzaId)}`, ...address, content };
}

function orNothing<Value>(decode: () => Value): Value | undefined {
  try {
    return decode();
  } catch {
    return undefined;
  }
}

const RECEIPT_STATES: Readonly<Record<string, ReceiptFact['state']>> = {
  '': 'delivered',
  read: 'read',
  played: 'played',
};

/** The facts of a receipt: one per message that it names. Receipts of our own devices and requests to repeat are none. */
export function toReceiptFacts(stanza: BinaryNode, me: Me): readonly ReceiptFact[] {
  const { attrs } = stanza;
  const state = RECEIPT_STATES[attrs['type'] ?? ''];
  const chat = withoutDevice(attrs['from'] ?? '');
  const recipient = withoutDevice(attrs['participant'] ?? chat);
  if (state === undefined || isMe(recipient, me)) return [];
  const list = Array.isArray(stanza.content) ? stanza.content.find(({ tag }) => tag === 'list')?.content : undefined;
  const more = Array.isArray(list) ? list.map((item) => item.attrs['id'] ?? '') : [];
  return [attrs['id'] ?? '', ...more].map((stanzaId) => ({
    kind: 'receipt',
    key: `receipt:${digest(stanzaId, recipient, state)}`,
    atMs: Number(attrs['t'] ?? 0) * 1_000,
    stanzaId: stanzaId as StanzaId,
    chat,
    recipient,
    state,
  }));
}

/** What a message shows its reader: text as text, everything else by its kind, bookkeeping not at all. */
export function toContent(message: proto.IMessage): InboundContent | undefined {
  const text = message.conversation ?? message.extendedTextMessage?.text;
  if (typeof text === 'string' && text !== '') return { type: 'text', text: { body: text } };
  const protocolType = message.protocolMessage?.type;
  if (message.protocolMessage) {
    const kind = typeof protocolType === 'number' ? PROTOCOL_KINDS[protocolType] : undefined;
    return kind === undefined ? undefined : { type: 'unsupported', unsupported: { kind } };
  }
  const type = getContentType(message);
  if (type === undefined || BOOKKEEPING.has(type)) return undefined;
  return { type: 'unsupported', unsupported: { kind: type.replace(/Message(V\d+)?$/, '') } };
}

function isMe(jid: string, me: Me): boolean {
  return jid === (isLid(jid) ? me.lid : me.phoneJid);
}

function digest(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 40);
}
