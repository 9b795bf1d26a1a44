import { createCipheriv, randomBytes } from 'node:crypto';
import { sealKey, type SealUse } from '../../../shared/wire/sealed.ts';

/** What a phone seals for a message whose secret it knows, in the two fields in which it travels. */
export function sealWith(
  use: SealUse,
  of: { readonly secret: Uint8Array; readonly stanzaId: string },
  names: { readonly author: string; readonly actor: string },
  plaintext: Uint8Array,
): { readonly encIv: Uint8Array; readonly encPayload: Uint8Array } {
  const { key, beside } = sealKey(use, of, names);
  const encIv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, encIv).setAAD(beside);
  return { encIv, encPayload: Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]) };
}
