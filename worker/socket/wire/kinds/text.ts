import type { proto } from '@whiskeysockets/baileys';
import type { AskedOf } from '../../../../shared/content/content.ts';
import type { StatusLook } from '../../../../shared/message/statusLook.ts';
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

const WHITE = '#ffffff';
/** The dark green of WhatsApp, for a status whose request names no color. */
const DARK_GREEN = '#075e54';

/** The look of a status: colors are ARGB numbers on the wire. Every client of WhatsApp gives all three. */
function toLook({ backgroundColor = DARK_GREEN, font = 0 }: StatusLook): proto.Message.IExtendedTextMessage {
  return { textArgb: toArgb(WHITE), backgroundArgb: toArgb(backgroundColor), font };
}

const toArgb = (color: string): number => 0xff_00_00_00 + Number.parseInt(color.slice(1), 16);

export const text = {
  toWire: (asked, { contextInfo, look }) => ({
    message: {
      extendedTextMessage: {
        ...toExtended(asked),
        ...(look === undefined ? {} : toLook(look)),
        ...(contextInfo === undefined ? {} : { contextInfo }),
      },
    },
  }),
  toQuoted: ({ body }) => ({ conversation: body }),
} as const satisfies Spoken<Text>;
