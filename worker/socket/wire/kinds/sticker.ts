import type { AskedOf } from '../../../../shared/content/content.ts';
import { areaOf, contextOf, fileIn, whereItLies } from '../sentFile.ts';
import type { Spoken } from '../spokenKind.ts';

export const sticker = {
  toWire: (_asked, context) => {
    const file = fileIn(context);
    const isAnimated = file.prepared.isAnimated === true;
    return {
      message: {
        stickerMessage: {
          ...whereItLies(file),
          ...areaOf(file),
          ...(isAnimated ? { isAnimated } : {}),
          ...contextOf(context),
        },
      },
    };
  },
} as const satisfies Spoken<AskedOf<'sticker'>>;
