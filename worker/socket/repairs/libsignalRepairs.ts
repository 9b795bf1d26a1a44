import { verify as verifyEd25519 } from 'node:crypto';
import { createRequire } from 'node:module';
import { toEdwardsKey } from './edwardsKeys.ts';

/**
 * Repairs of libsignal 6.0.0 for which it has no hook. They are made once for each process, on the loaded modules, and
 * only on the version that they were written for: another version stops the start, so that nobody runs unrepaired by
 * accident.
 */
export const REPAIRED_VERSION = '6.0.0';

interface SessionEntry {
  pendingPreKey?: unknown;
  readonly serialize: () => unknown;
}
type Decrypt = (this: unknown, message: Uint8Array, session: SessionEntry) => Promise<Buffer>;
interface CipherPrototype {
  doDecryptWhisperMessage: Decrypt;
  queueJob: (job: () => Promise<unknown>) => Promise<unknown>;
  [REPAIRED]?: true;
}
interface Libsignal {
  readonly SessionCipher: { readonly prototype: CipherPrototype };
  readonly SessionRecord: {
    readonly createEntry: () => SessionEntry & {
      readonly constructor: { readonly deserialize: (data: unknown) => SessionEntry };
    };
  };
}
interface Curve25519 {
  verify: (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;
}

const REPAIRED = Symbol.for('holdfast.libsignal.repaired');

/** Makes the repairs. Throws when libsignal has another version than they are for. */
export function repairLibsignal(): void {
  const require = createRequire(import.meta.url);
  const { version } = require('libsignal/package.json') as { readonly version: string };
  assertRepairable(version);
  const { SessionCipher, SessionRecord } = require('libsignal') as Libsignal;
  if (SessionCipher.prototype[REPAIRED]) return;
  SessionCipher.prototype[REPAIRED] = true;
  trySessionsOnCopies(SessionCipher.prototype, SessionRecord);
  doWithoutQueue(SessionCipher.prototype);
  const fromLibsignal = createRequire(require.resolve('libsignal'));
  (fromLibsignal('curve25519-js') as Curve25519).verify = verifySignature;
}

/** Throws when the repairs are not for this version of libsignal. */
export function assertRepairable(version: string): void {
  if (version === REPAIRED_VERSION) return;
  throw new Error(
    `libsignal ${version} is installed; its repairs are for ${REPAIRED_VERSION}. Check them before an upgrade.`,
  );
}

/**
 * Makes libsignal try sessions on copies. It steps the ratchet of a session before it knows whether a message belongs
 * to it, so that merely trying a session damages it, and with it everything that is sent on it later ("Bad MAC"). Here
 * each is tried on a copy, and the copy counts only when the message was authentic, as in Signal's own library.
 */
function trySessionsOnCopies(cipher: CipherPrototype, records: Libsignal['SessionRecord']): void {
  const original = cipher.doDecryptWhisperMessage;
  const entryClass = records.createEntry().constructor;
  cipher.doDecryptWhisperMessage = async function tryOnCopy(message, session) {
    const copy = entryClass.deserialize(session.serialize());
    const plaintext = await original.call(this, message, copy);
    delete session.pendingPreKey;
    Object.assign(session, copy);
    return plaintext;
  };
}

/**
 * Makes libsignal do without its queue. There is one for the process, keyed by address alone: accounts that talk to the
 * same contact would wait for each other, and a job that waited runs in the asynchronous context of the first one, that
 * is in the other's transaction. Every user of a session here holds a lock of its account and address
 * (`DurableRepository`).
 */
function doWithoutQueue(cipher: CipherPrototype): void {
  cipher.queueJob = (job) => job();
}

/**
 * XEdDSA verification with the platform's Ed25519: the Montgomery key becomes an Edwards key, its sign bit is the top bit of
 * the signature. Baileys ignores the answer of the original and takes only an exception for
 * "no", so this one throws. About 80 times as fast as the original, which is pure JavaScript.
 */
export function verifySignature(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const plain = Buffer.from(signature);
  const edwards = toEdwardsKey(publicKey, (plain[63] ?? 0) & 0x80);
  plain[63] = (plain[63] ?? 0) & 0x7f;
  if (!verifyEd25519(null, message, edwards, plain)) throw new Error('the signature is not valid');
  return true;
}
