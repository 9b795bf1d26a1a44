import { getBinaryNodeChild, proto, type BinaryNode } from '@whiskeysockets/baileys';
import type { MessageFact } from '../../../shared/event/internalEvent.ts';
import type { StanzaId } from '../../../shared/kernel/id.ts';
import { isLid, withoutDevice } from '../../../shared/kernel/jid.ts';
import type { InboundContent } from '../../../shared/message/content.ts';
import { toContent } from './content.ts';
import { addressOf, isFromOwnPhone, type Me, type MessageAddress } from './envelope.ts';
import { messageKey } from './factKey.ts';
import { orNothing } from './plaintext.ts';

/** The post that a newsletter brings: not sealed, so that nothing of it comes by way of the cipher; undefined for all else. */
export function toNewsletterPost(stanza: BinaryNode): proto.IMessage | undefined {
  if (stanza.attrs['from']?.endsWith('@newsletter') !== true) return undefined;
  const content = getBinaryNodeChild(stanza, 'plaintext')?.content;
  return content instanceof Uint8Array ? orNothing(() => proto.Message.decode(content)) : undefined;
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
  return { kind: 'message', key: messageKey(address), ...address, content };
}
