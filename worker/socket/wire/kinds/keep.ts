import { proto } from '@whiskeysockets/baileys';
import type { AskedOf } from '../../../../shared/content/content.ts';
import { aboutOf, type Spoken } from '../spokenKind.ts';

const { KEEP_FOR_ALL, UNDO_KEEP_FOR_ALL } = proto.KeepType;

export const keep = {
  toWire: ({ type }, context) => {
    const { key, actedAtMs } = aboutOf(context);
    const isEnd = type === 'unkeep';
    return {
      message: {
        keepInChatMessage: { key, keepType: isEnd ? UNDO_KEEP_FOR_ALL : KEEP_FOR_ALL, timestampMs: actedAtMs },
      },
      // What the account no longer keeps of its own counts as taken back.
      ...(isEnd && key.fromMe === true ? { attributes: { edit: '7' } } : {}),
    };
  },
} as const satisfies Spoken<AskedOf<'keep'>>;
