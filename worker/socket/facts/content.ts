import { getContentType, proto } from '@whiskeysockets/baileys';
import type { InboundContent } from '../../../shared/message/content.ts';

/** Parts of a message that are bookkeeping between devices and not something that a person wrote. */
const BOOKKEEPING: ReadonlySet<string> = new Set(['senderKeyDistributionMessage', 'messageContextInfo']);
const PROTOCOL_KINDS: Readonly<Record<number, string>> = {
  [proto.Message.ProtocolMessage.Type.REVOKE]: 'revoke',
  [proto.Message.ProtocolMessage.Type.MESSAGE_EDIT]: 'edit',
};

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
