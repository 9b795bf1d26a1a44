import type { proto } from '@whiskeysockets/baileys';
import type { AskedOf } from '../../../../shared/content/content.ts';
import { contextOf, fileIn, lengthOf, opensOnce, sidecarOf, whereItLies } from '../sentFile.ts';
import type { Spoken } from '../spokenKind.ts';

export const audio = {
  toWire: ({ voice, view_once: once }, context) => {
    const file = fileIn(context);
    const { waveform } = file.prepared;
    const audioMessage: proto.Message.IAudioMessage = {
      ...whereItLies(file),
      ...lengthOf(file),
      ...sidecarOf(file),
      ...(voice === true ? { ptt: true } : {}),
      ...(voice === true && waveform !== undefined ? { waveform: Buffer.from(waveform, 'base64') } : {}),
      ...(once === true ? { viewOnce: true } : {}),
      ...contextOf(context),
    };
    return { message: once === true ? opensOnce({ audioMessage }, true) : { audioMessage } };
  },
} as const satisfies Spoken<AskedOf<'audio'>>;
