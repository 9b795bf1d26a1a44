import type { AuthenticationCreds } from '@whiskeysockets/baileys';
import { withoutDevice } from '../../../shared/kernel/jid.ts';
import type { LinkedAccount } from '../port/connectionSocket.ts';

/** The account of these credentials; an empty address before a pairing has finished. */
export function toLinkedAccount({ me }: Pick<AuthenticationCreds, 'me'>): LinkedAccount {
  return {
    phoneJid: withoutDevice(me?.id ?? ''),
    lid: me?.lid ? withoutDevice(me.lid) : undefined,
    name: me?.name,
  };
}
