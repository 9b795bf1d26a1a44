import type { AskedOf } from '../../../../shared/content/content.ts';
import type { Spoken } from '../spokenKind.ts';

export const phoneRequest = {
  toWire: (_asked, { contextInfo }) => ({
    message: { requestPhoneNumberMessage: contextInfo === undefined ? {} : { contextInfo } },
  }),
} as const satisfies Spoken<AskedOf<'phone_request'>>;
