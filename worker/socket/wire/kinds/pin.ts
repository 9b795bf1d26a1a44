import { proto } from '@whiskeysockets/baileys';
import type { AskedOf } from '../../../../shared/content/content.ts';
import { aboutOf, type Spoken } from '../spokenKind.ts';

const { PIN_FOR_ALL, UNPIN_FOR_ALL } = proto.Message.PinInChatMessage.Type;
const DAY_SECONDS = 86_400;
/** The days that WhatsApp's clients propose. */
const USUAL_DAYS = 7;

export const pin = {
  toWire: ({ type, expiration_days: days = USUAL_DAYS }, context) => {
    const { key, actedAtMs } = aboutOf(context);
    const isPinned = type === 'pin';
    return {
      message: {
        pinInChatMessage: { key, type: isPinned ? PIN_FOR_ALL : UNPIN_FOR_ALL, senderTimestampMs: actedAtMs },
        messageContextInfo: { messageAddOnDurationInSecs: isPinned ? days * DAY_SECONDS : 0 },
      },
      attributes: { edit: '2' },
    };
  },
} as const satisfies Spoken<AskedOf<'pin'>>;
