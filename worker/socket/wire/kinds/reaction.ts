import type { AskedOf } from '../../../../shared/content/content.ts';
import { aboutOf, type Spoken } from '../spokenKind.ts';

export const reaction = {
  toWire: ({ emoji }, context) => {
    const { key, actedAtMs } = aboutOf(context);
    return {
      message: { reactionMessage: { key, text: emoji, senderTimestampMs: actedAtMs } },
      // WhatsApp's clients call it a deletion of their own to take a reaction back.
      ...(emoji === '' ? { attributes: { edit: '7' } } : {}),
    };
  },
} as const satisfies Spoken<AskedOf<'reaction'>>;
