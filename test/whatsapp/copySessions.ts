import { createRequire } from 'node:module';

/**
 * libsignal 6.0.0 steps the ratchet of a session before it knows whether a message belongs to it, so that merely trying a
 * session damages it. Phones must not have that fault, or it would be booked on the product: here each session is tried
 * on a copy, and the copy counts only when the message was authentic, as in Signal's own library.
 */
interface SessionEntry {
  pendingPreKey?: unknown;
  readonly serialize: () => unknown;
}
interface EntryClass {
  readonly deserialize: (data: unknown) => SessionEntry;
}
type Decrypt = (this: unknown, message: Uint8Array, session: SessionEntry) => Promise<Buffer>;
interface Libsignal {
  readonly SessionCipher: { readonly prototype: { doDecryptWhisperMessage: Decrypt; [PATCHED]?: true } };
  readonly SessionRecord: { readonly createEntry: () => SessionEntry & { readonly constructor: EntryClass } };
}

const PATCHED = Symbol.for('holdfast.whatsapp.sessionsTriedOnCopies');

/** Patches the cipher of this process, once. */
export function trySessionsOnCopies(): void {
  const { SessionCipher, SessionRecord } = createRequire(import.meta.url)('libsignal') as Libsignal;
  const cipher = SessionCipher.prototype;
  if (cipher[PATCHED]) return;
  cipher[PATCHED] = true;
  const original = cipher.doDecryptWhisperMessage;
  const entryClass = SessionRecord.createEntry().constructor;
  cipher.doDecryptWhisperMessage = async function tryOnCopy(message, session) {
    const copy = entryClass.deserialize(session.serialize());
    const plaintext = await original.call(this, message, copy);
    delete session.pendingPreKey;
    return Object.assign(session, copy) && plaintext;
  };
}
