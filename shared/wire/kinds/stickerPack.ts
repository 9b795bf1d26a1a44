import type { BodyOf } from '../../content/content.ts';
import { fileOf, mediaOf } from '../files.ts';
import { inOneField } from '../oneField.ts';
import { bytes, flag, integer, parts, shape, text, texts } from '../shape.ts';
import type { Understood } from '../understoodKind.ts';

const STICKER_PACK = 86;
const one = shape({
  fileName: text(1),
  animated: flag(2),
  emojis: texts(3),
  label: text(4),
  lottie: flag(5),
  mimeType: text(6),
});
const pack = shape({
  id: text(1),
  name: text(2),
  publisher: text(3),
  stickers: parts(4, one),
  size: integer(5),
  sha256: bytes(6),
  sealedSha256: bytes(7),
  key: bytes(8),
  path: text(9),
  caption: text(10),
  description: text(12),
  keyAt: integer(13),
  origin: integer(22),
});
const origins: Readonly<Record<number, BodyOf<'sticker_pack'>['origin']>> = {
  0: 'first_party',
  1: 'third_party',
  2: 'user_created',
};

export const stickerPack: Understood<BodyOf<'sticker_pack'>> = inOneField({
  field: STICKER_PACK,
  shape: pack,
  context: 11,
  toBody: (read) => ({
    id: read.id,
    name: read.name,
    publisher: read.publisher,
    origin: origins[read.origin ?? -1],
    bytes: fileOf(read).bytes,
    description: read.description,
    caption: read.caption,
    stickers: read.stickers?.map(({ fileName, animated, emojis, label, lottie, mimeType }) => ({
      filename: fileName,
      mime_type: mimeType,
      emojis,
      animated,
      lottie,
      label,
    })),
  }),
  files: (read) => mediaOf('sticker_pack', read),
});
