import type { proto } from '@whiskeysockets/baileys';
import type { AskedOf } from '../../../../shared/content/content.ts';
import type { Spoken } from '../spokenKind.ts';

type Text = AskedOf<'text'>;

// A preview is the one that the tenant gives. This worker fetches no address of anybody's choosing.
const toExtended = ({ body, preview }: Text): proto.Message.IExtendedTextMessage => ({
  text: body,
  ...(preview === undefined
    ? {}
    : {
        matchedText: preview.url,
        ...(preview.title === undefined ? {} : { title: preview.title }),
        ...(preview.description === undefined ? {} : { description: preview.description }),
        ...(preview.thumbnail === undefined ? {} : { jpegThumbnail: Buffer.from(preview.thumbnail, 'base64') }),
      }),
});

export const text = {
  toWire: (asked, { contextInfo }) => ({
    message: { extendedTextMessage: { ...toExtended(asked), ...(contextInfo === undefined ? {} : { contextInfo }) } },
  }),
  toQuoted: ({ body }) => ({ conversation: body }),
} as const satisfies Spoken<Text>;
