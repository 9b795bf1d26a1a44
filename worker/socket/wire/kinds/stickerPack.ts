import { proto } from '@whiskeysockets/baileys';
import type { AskedOf } from '../../../../shared/content/content.ts';
import { isPlain } from '../../../../shared/media/uploadedFile.ts';
import { contextOf, fileIn, howItOpens, whereItLies } from '../sentFile.ts';
import type { Spoken } from '../spokenKind.ts';

const { USER_CREATED } = proto.Message.StickerPackMessage.StickerPackOrigin;
/** The sides of the picture that stands for a pack, in pixels: those of WhatsApp's clients. */
const COVER_EDGE = 252;

/** The form is that in which zapo sends packs, and in which they come: an archive, and beside it a cover under the same key. */
export const stickerPack = {
  toWire: ({ name, publisher, description, caption }, context) => {
    const file = fileIn(context);
    const { pack } = file.prepared;
    if (pack === undefined || isPlain(file) || file.cover === undefined)
      throw new Error('a pack of stickers without its parts');
    const { fileLength, fileSha256, directPath } = whereItLies(file);
    const stickerPackMessage: proto.Message.IStickerPackMessage = {
      stickerPackId: pack.id,
      name: name ?? '',
      publisher: publisher ?? '',
      stickers: pack.stickers.map(({ fileName, isAnimated }) => ({ fileName, isAnimated, mimetype: 'image/webp' })),
      fileLength,
      fileSha256,
      ...howItOpens(file),
      directPath,
      stickerPackSize: fileLength,
      stickerPackOrigin: USER_CREATED,
      trayIconFileName: pack.tray,
      thumbnailDirectPath: file.cover.directPath,
      thumbnailSha256: Buffer.from(file.cover.sha256, 'base64'),
      thumbnailEncSha256: Buffer.from(file.cover.sealedSha256, 'base64'),
      thumbnailHeight: COVER_EDGE,
      thumbnailWidth: COVER_EDGE,
      ...(description === undefined ? {} : { packDescription: description }),
      ...(caption === undefined ? {} : { caption }),
      ...contextOf(context),
    };
    // Baileys takes this one for a text.
    return { message: { stickerPackMessage }, attributes: { type: 'media' } };
  },
} as const satisfies Spoken<AskedOf<'sticker_pack'>>;
