import { createRequire } from 'node:module';

/**
 * libsignal 6.0.0 steps the ratchet of a session before it knows whether a message belongs to it, so that merely trying a
 * session damages it. Phones must not have that fault, or it would be booked on the product: for them each session is
 * tried on a copy, and the copy counts only when the message was authentic, as in Signal's own library. A client in the
 * same process keeps its libsignal as it is: a phone is known by its identity key.
 */
interface SessionEntry {
  pendingPreKey?: unknown;
}
interface Cipher {
  readonly storage: {
    readonly getOurIdentity: () => { readonly pubKey: Buffer } | Promise<{ readonly pubKey: Buffer }>;
  };
}
type Decrypt = (this: Cipher, message: Uint8Array, session: SessionEntry) => Promise<Buffer>;
interface Libsignal {
  readonly SessionCipher: { readonly prototype: { doDecryptWhisperMessage: Decrypt } };
}

/** Identity keys of the phones of this process, in base64 and with the version byte that libsignal puts first. */
const phones = new Set<string>();
let isPatched = false;

/** Makes the owner of this identity key (32 bytes) try sessions on copies from now on. */
export function trySessionsOnCopies(identityKey: Uint8Array): void {
  phones.add(Buffer.concat([Buffer.from([5]), identityKey]).toString('base64'));
  if (isPatched) return;
  isPatched = true;
  const { SessionCipher } = createRequire(import.meta.url)('libsignal') as Libsignal;
  const cipher = SessionCipher.prototype;
  const original = cipher.doDecryptWhisperMessage;
  cipher.doDecryptWhisperMessage = async function tryOnCopy(message, session) {
    const { pubKey } = await this.storage.getOurIdentity();
    if (!phones.has(pubKey.toString('base64'))) return original.call(this, message, session);
    const copy = copyOf(session);
    const plaintext = await original.call(this, message, copy);
    delete session.pendingPreKey;
    Object.assign(session, copy);
    return plaintext;
  };
}

/** A copy down to the bytes of keys, which are shared: libsignal puts others in their place and never changes them. */
function copyOf<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  const copy = Object.create(Object.getPrototypeOf(value) as object | null) as Value;
  for (const name of Object.keys(value) as (keyof Value)[]) copy[name] = copyOf(value[name]);
  return copy;
}
