import type { proto } from '@whiskeysockets/baileys';
import type { AskedOf } from '../../../../shared/content/content.ts';
import { contextOf, fileIn, thumbnailOf, whereItLies } from '../sentFile.ts';
import type { Spoken } from '../spokenKind.ts';

/** The name of a document that has none. */
const UNNAMED = 'file';

export const document = {
  toWire: ({ caption, filename }, context) => {
    const file = fileIn(context);
    const { pages } = file.prepared;
    const fileName = filename ?? file.filename ?? UNNAMED;
    const documentMessage: proto.Message.IDocumentMessage = {
      ...whereItLies(file),
      ...thumbnailOf(file),
      fileName,
      title: fileName,
      ...(pages === undefined ? {} : { pageCount: pages }),
      ...(caption === undefined ? {} : { caption }),
      ...contextOf(context),
    };
    // Phones show the caption of a document only where it is wrapped so.
    return {
      message:
        caption === undefined ? { documentMessage } : { documentWithCaptionMessage: { message: { documentMessage } } },
    };
  },
} as const satisfies Spoken<AskedOf<'document'>>;
