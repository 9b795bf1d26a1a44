import { proto, type BinaryNode } from '@whiskeysockets/baileys';
import type { WireMessage } from './spokenKind.ts';

type Fields = NonNullable<Parameters<typeof proto.Message.encode>[0]>;

/**
 * What the readers of a channel are told to expect, by the part of the message that it stands in; a part that is none of these is text. Clients show no
 * file of a channel that does not say so (facts: whatsmeow, `getMediaTypeFromMessage`; zapo, `NEWSLETTER_MEDIA_TYPES`).
 */
const mediaTypes: readonly (readonly [type: string, isSo: (message: Fields) => boolean])[] = [
  ['url', ({ extendedTextMessage: text }) => Boolean(text?.matchedText)],
  ['image', ({ imageMessage }) => Boolean(imageMessage)],
  ['gif', ({ videoMessage }) => videoMessage?.gifPlayback === true],
  ['video', ({ videoMessage }) => Boolean(videoMessage)],
  ['ptv', ({ ptvMessage }) => Boolean(ptvMessage)],
  ['ptt', ({ audioMessage }) => audioMessage?.ptt === true],
  ['audio', ({ audioMessage }) => Boolean(audioMessage)],
  ['document', ({ documentMessage }) => Boolean(documentMessage)],
  ['sticker', ({ stickerMessage }) => Boolean(stickerMessage)],
];

/** The stanza of a post in a channel: nothing of it is sealed, and nobody is named who gets it. */
export function toPost({ message, attributes }: WireMessage, to: string, stanzaId: string): BinaryNode {
  const said = message.documentWithCaptionMessage?.message ?? message;
  const mediaType = mediaTypes.find(([, isSo]) => isSo(said))?.[0];
  return {
    tag: 'message',
    attrs: { ...attributes, to, id: stanzaId, type: mediaType === undefined ? 'text' : 'media' },
    content: [
      {
        tag: 'plaintext',
        attrs: mediaType === undefined ? {} : { mediatype: mediaType },
        content: proto.Message.encode(message).finish(),
      },
    ],
  };
}
