import { proto } from '@whiskeysockets/baileys';
import type { AskedOf } from '../../../../shared/content/content.ts';
import type { Spoken } from '../spokenKind.ts';

export const phoneShared = {
  toWire: () => ({ message: { protocolMessage: { type: proto.Message.ProtocolMessage.Type.SHARE_PHONE_NUMBER } } }),
} as const satisfies Spoken<AskedOf<'phone_shared'>>;
