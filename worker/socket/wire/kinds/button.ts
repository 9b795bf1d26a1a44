import type { AskedOf } from '../../../../shared/content/content.ts';
import type { Spoken } from '../spokenKind.ts';

export const button = {
  toWire: ({ payload, text, index }, { contextInfo }) => ({
    message: {
      templateButtonReplyMessage: {
        selectedId: payload,
        selectedDisplayText: text,
        ...(index === undefined ? {} : { selectedIndex: index }),
        ...(contextInfo === undefined ? {} : { contextInfo }),
      },
    },
  }),
} as const satisfies Spoken<AskedOf<'button'>>;
