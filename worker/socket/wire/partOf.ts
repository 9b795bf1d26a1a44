import { proto } from '@whiskeysockets/baileys';
import type { PartOf } from '../../../shared/content/partOf.ts';

/** The types of association of the protocol, by our words: those of what we send as a part of something. */
const associations: Readonly<Record<string, proto.MessageAssociation.AssociationType>> = {
  album: proto.MessageAssociation.AssociationType.MEDIA_ALBUM,
};

/**
 * A message of the account that says which other one of its own it is a part of. Throws for a kind of part that nobody knows how to send.
 * @param chat where both go
 */
export function withPartOf(message: proto.IMessage, partOf: PartOf | undefined, chat: string): proto.IMessage {
  if (partOf === undefined) return message;
  const associationType = associations[partOf.kind];
  if (associationType === undefined) throw new Error(`nobody knows how to send a part of kind ${partOf.kind}`);
  const parentMessageKey = { remoteJid: chat, fromMe: true, id: partOf.stanzaId };
  const messageContextInfo = {
    ...message.messageContextInfo,
    messageAssociation: { associationType, parentMessageKey },
  };
  return { ...message, messageContextInfo };
}
