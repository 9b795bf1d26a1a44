import { createRequire } from 'node:module';
import { silenceConsole } from '../whatsapp/silenceConsole.ts';

// It prints sessions with their keys.
silenceConsole();

export interface Party {
  readonly storage: Record<string, unknown>;
  readonly identity: { readonly pubKey: Buffer; readonly privKey: Buffer };
  readonly bundle: (preKeyId: number) => unknown;
  /** Stored sessions, by address. */
  readonly sessions: Map<string, Uint8Array>;
}
export interface LibsignalRecord {
  readonly haveOpenSession: () => boolean;
  readonly getOpenSession: () => unknown;
  readonly closeSession: (session: unknown) => void;
  readonly serialize: () => unknown;
}
export interface Libsignal {
  readonly keyhelper: {
    readonly generateIdentityKeyPair: () => Party['identity'];
    readonly generateRegistrationId: () => number;
    readonly generatePreKey: (id: number) => { readonly keyId: number; readonly keyPair: Party['identity'] };
    readonly generateSignedPreKey: (
      identity: Party['identity'],
      id: number,
    ) => { readonly keyId: number; readonly keyPair: Party['identity']; readonly signature: Buffer };
  };
  readonly ProtocolAddress: new (name: string, device: number) => unknown;
  readonly SessionBuilder: new (
    storage: unknown,
    address: unknown,
  ) => { initOutgoing: (bundle: unknown) => Promise<void> };
  readonly SessionCipher: new (
    storage: unknown,
    address: unknown,
  ) => {
    encrypt: (data: Buffer) => Promise<{ readonly type: number; readonly body: string | Buffer }>;
    decryptWhisperMessage: (data: Buffer) => Promise<Buffer>;
    decryptPreKeyWhisperMessage: (data: Buffer) => Promise<Buffer>;
  };
  readonly SessionRecord: { readonly deserialize: (data: unknown) => LibsignalRecord };
}

export const libsignal = createRequire(import.meta.url)('libsignal') as Libsignal;

/** How a session is kept between two steps. */
export interface Keeping {
  readonly encode: (record: unknown) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => unknown;
}

const asJson: Keeping = {
  encode: (record) => Buffer.from(JSON.stringify(record)),
  decode: (bytes) => JSON.parse(Buffer.from(bytes).toString()) as unknown,
};

/** One side of a conversation, with a store in memory. */
export function aParty({ encode, decode }: Keeping = asJson): Party {
  const { keyhelper, SessionRecord } = libsignal;
  const identity = keyhelper.generateIdentityKeyPair();
  const registrationId = keyhelper.generateRegistrationId();
  const signed = keyhelper.generateSignedPreKey(identity, 1);
  const sessions = new Map<string, Uint8Array>();
  const preKeys = new Map<number, Party['identity']>();
  return {
    identity,
    sessions,
    bundle: (preKeyId) => {
      const { keyPair } = keyhelper.generatePreKey(preKeyId);
      preKeys.set(preKeyId, keyPair);
      return {
        registrationId,
        identityKey: identity.pubKey,
        signedPreKey: { keyId: 1, publicKey: signed.keyPair.pubKey, signature: signed.signature },
        preKey: { keyId: preKeyId, publicKey: keyPair.pubKey },
      };
    },
    storage: {
      loadSession: async (id: string) => {
        const bytes = sessions.get(id);
        return bytes === undefined ? undefined : SessionRecord.deserialize(decode(bytes));
      },
      storeSession: async (id: string, record: { serialize: () => unknown }) => {
        sessions.set(id, encode(record.serialize()));
      },
      isTrustedIdentity: () => true,
      loadPreKey: async (id: number) => preKeys.get(id),
      removePreKey: async (id: number) => preKeys.delete(id),
      loadSignedPreKey: async () => signed.keyPair,
      getOurRegistrationId: () => registrationId,
      getOurIdentity: () => identity,
    },
  };
}
