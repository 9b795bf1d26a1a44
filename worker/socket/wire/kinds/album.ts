import type { AskedOf } from '../../../../shared/content/content.ts';
import { contextOf } from '../sentFile.ts';
import type { Spoken } from '../spokenKind.ts';

/** The beginning of an album; each of its parts is a message that names it. */
export const album = {
  toWire: ({ images, videos }, context) => ({
    message: {
      albumMessage: { expectedImageCount: images, expectedVideoCount: videos, ...contextOf(context) },
    },
  }),
} as const satisfies Spoken<AskedOf<'album'>>;
