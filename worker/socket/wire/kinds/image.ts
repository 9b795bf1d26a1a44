import type { proto } from '@whiskeysockets/baileys';
import type { AskedOf } from '../../../../shared/content/content.ts';
import { areaOf, contextOf, fileIn, opensOnce, thumbnailOf, whereItLies } from '../sentFile.ts';
import type { Spoken } from '../spokenKind.ts';

export const image = {
  toWire: ({ caption, view_once: once }, context) => {
    const file = fileIn(context);
    const imageMessage: proto.Message.IImageMessage = {
      ...whereItLies(file),
      ...areaOf(file),
      ...thumbnailOf(file),
      ...(caption === undefined ? {} : { caption }),
      ...(once === true ? { viewOnce: true } : {}),
      ...contextOf(context),
    };
    return { message: once === true ? opensOnce({ imageMessage }) : { imageMessage } };
  },
} as const satisfies Spoken<AskedOf<'image'>>;
