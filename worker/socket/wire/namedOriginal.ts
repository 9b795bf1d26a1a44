import type { MessageFact } from '../../../shared/event/facts/messageFactSchema.ts';
import { isPerson } from '../../../shared/kernel/jid.ts';
import { goesToMany } from '../../../shared/message/recipient.ts';
import type { Original } from '../../../shared/wire/wireKey.ts';
import { isMe, type Me, type MessageAddress } from './envelope.ts';

type NamedOriginal = Pick<
  MessageFact,
  'originalId' | 'originalSender' | 'originalSenderAlias' | 'originalFromMe' | 'originalInStatus'
>;

/**
 * The message that another one is about. Its key is written from the point of view of the writer: "from me" is the writer,
 * and a key that names no author means, in a chat with one person, the other side. Nobody checks what a writer says here but
 * ingest, by the keys under which messages are kept.
 */
export function namedOriginal(
  { stanzaId, byWriter, sender, inStatus }: Original,
  address: MessageAddress,
  me: Me,
): NamedOriginal {
  const { chat, chatAlias, fromMe } = address;
  const elsewhere = inStatus === true && isPerson(chat) ? { originalInStatus: true as const } : {};
  const by = (author: string, alias: string | undefined, originalFromMe: boolean): NamedOriginal => ({
    originalId: stanzaId,
    originalSender: author,
    ...(alias === undefined ? {} : { originalSenderAlias: alias }),
    originalFromMe,
    ...elsewhere,
  });
  const byUs = (): NamedOriginal => by(me.phoneJid, me.lid, true);
  if (byWriter) return fromMe ? byUs() : by(address.sender, address.senderAlias, false);
  if (sender !== undefined) return isMe(sender, me) ? byUs() : by(sender, aliasOf(sender, address), false);
  if (goesToMany(chat)) return { originalId: stanzaId };
  return fromMe ? by(chat, chatAlias, false) : byUs();
}

/** The other name of a person, if that is the writer. */
function aliasOf(person: string, { sender, senderAlias }: MessageAddress): string | undefined {
  if (person === sender) return senderAlias;
  return person === senderAlias ? sender : undefined;
}
