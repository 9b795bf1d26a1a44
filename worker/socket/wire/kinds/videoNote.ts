import type { AskedOf } from '../../../../shared/content/content.ts';
import { areaOf, contextOf, fileIn, lengthOf, sidecarOf, thumbnailOf, whereItLies } from '../sentFile.ts';
import type { Spoken } from '../spokenKind.ts';

export const videoNote = {
  toWire: (_asked, context) => {
    const file = fileIn(context);
    return {
      message: {
        ptvMessage: {
          ...whereItLies(file),
          ...areaOf(file),
          ...lengthOf(file),
          ...sidecarOf(file),
          ...thumbnailOf(file),
          ...contextOf(context),
        },
      },
      // Baileys takes this one for a text.
      attributes: { type: 'media' },
    };
  },
} as const satisfies Spoken<AskedOf<'video_note'>>;
