import { proto } from '@whiskeysockets/baileys';
import type { AskedOf } from '../../../../shared/content/content.ts';
import { aboutOf, type Spoken } from '../spokenKind.ts';

const { REVOKE } = proto.Message.ProtocolMessage.Type;

export const revoke = {
  toWire: (_asked, context) => {
    const { key } = aboutOf(context);
    // WhatsApp's server lets an administrator of a group take back what others wrote, if the stanza says so.
    return {
      message: { protocolMessage: { key, type: REVOKE } },
      attributes: { edit: key.fromMe === true ? '7' : '8' },
    };
  },
} as const satisfies Spoken<AskedOf<'revoke'>>;
