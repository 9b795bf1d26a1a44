import type { BodyOf } from '../../content/content.ts';
import { areaOf, fileOf, mediaOf, stickerFile } from '../files.ts';
import { inOneField } from '../oneField.ts';
import type { Understood } from '../understoodKind.ts';

const STICKER = 26;

export const sticker: Understood<BodyOf<'sticker'>> = inOneField({
  field: STICKER,
  shape: stickerFile,
  context: 17,
  toBody: (read) => ({
    ...fileOf(read),
    ...areaOf(read),
    animated: read.animated,
    lottie: read.lottie,
    avatar: read.avatar,
    ai_generated: read.aiGenerated,
    emojis: read.emojis,
    label: read.label,
  }),
  files: (read) => mediaOf('sticker', read),
});
