import type { proto } from '@whiskeysockets/baileys';
import type { AskedOf } from '../../../../shared/content/content.ts';
import { areaOf, contextOf, fileIn, lengthOf, opensOnce, sidecarOf, thumbnailOf, whereItLies } from '../sentFile.ts';
import type { Spoken } from '../spokenKind.ts';

export const video = {
  toWire: ({ caption, view_once: once, gif }, context) => {
    const file = fileIn(context);
    const videoMessage: proto.Message.IVideoMessage = {
      ...whereItLies(file),
      ...areaOf(file),
      ...lengthOf(file),
      ...sidecarOf(file),
      ...thumbnailOf(file),
      ...(gif === true ? { gifPlayback: true } : {}),
      ...(caption === undefined ? {} : { caption }),
      ...(once === true ? { viewOnce: true } : {}),
      ...contextOf(context),
    };
    return { message: once === true ? opensOnce({ videoMessage }) : { videoMessage } };
  },
} as const satisfies Spoken<AskedOf<'video'>>;
