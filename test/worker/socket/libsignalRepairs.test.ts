import { createRequire } from 'node:module';
import { Curve } from '@whiskeysockets/baileys';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { repairLibsignal, verifySignature } from '../../../worker/socket/libsignalRepairs.ts';
import { silenceConsole } from '../../whatsapp/silenceConsole.ts';

silenceConsole();

interface Party {
  readonly storage: Record<string, unknown>;
  readonly identity: { readonly pubKey: Buffer; readonly privKey: Buffer };
  readonly bundle: (preKeyId: number) => unknown;
}
interface Libsignal {
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
  readonly SessionRecord: { readonly deserialize: (data: unknown) => unknown };
}

const libsignal = createRequire(import.meta.url)('libsignal') as Libsignal;

/** One side of a conversation, with a store in memory. */
function aParty(): Party {
  const { keyhelper, SessionRecord } = libsignal;
  const identity = keyhelper.generateIdentityKeyPair();
  const registrationId = keyhelper.generateRegistrationId();
  const signed = keyhelper.generateSignedPreKey(identity, 1);
  const sessions = new Map<string, string>();
  const preKeys = new Map<number, Party['identity']>();
  return {
    identity,
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
        const text = sessions.get(id);
        return text === undefined ? undefined : SessionRecord.deserialize(JSON.parse(text));
      },
      storeSession: async (id: string, record: { serialize: () => unknown }) => {
        sessions.set(id, JSON.stringify(record.serialize()));
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

describe('repairs of libsignal', () => {
  beforeAll(() => repairLibsignal());

  it('keep the open session whole when a late message of an older one arrives', async () => {
    const [client, contact] = [aParty(), aParty()];
    const toContact = new libsignal.ProtocolAddress('contact', 0);
    const toClient = new libsignal.ProtocolAddress('client', 0);
    const clientCipher = () => new libsignal.SessionCipher(client.storage, toContact);
    const contactCipher = () => new libsignal.SessionCipher(contact.storage, toClient);
    const seal = async (cipher: ReturnType<typeof clientCipher>, text: string) => {
      const { type, body } = await cipher.encrypt(Buffer.from(text));
      return { type, bytes: typeof body === 'string' ? Buffer.from(body, 'binary') : body };
    };
    const open = async (cipher: ReturnType<typeof clientCipher>, sealed: Awaited<ReturnType<typeof seal>>) =>
      String(
        await (sealed.type === 3
          ? cipher.decryptPreKeyWhisperMessage(sealed.bytes)
          : cipher.decryptWhisperMessage(sealed.bytes)),
      );
    // 1. A session in use both ways; the contact encrypts a message on it, which is held back.
    await new libsignal.SessionBuilder(client.storage, toContact).initOutgoing(contact.bundle(1));
    await open(contactCipher(), await seal(clientCipher(), 'one'));
    await open(clientCipher(), await seal(contactCipher(), 'two'));
    await open(contactCipher(), await seal(clientCipher(), 'three'));
    const late = await seal(contactCipher(), 'late');
    // 2. The client makes a new session, and its first message on it is read.
    await new libsignal.SessionBuilder(client.storage, toContact).initOutgoing(contact.bundle(2));
    await open(contactCipher(), await seal(clientCipher(), 'four'));

    // 3. The late message of the old session arrives; 4. what is sent on the new one afterwards must be readable.
    const texts = [await open(clientCipher(), late)];
    texts.push(await open(contactCipher(), await seal(clientCipher(), 'five')));
    texts.push(await open(clientCipher(), await seal(contactCipher(), 'six')));

    expect(texts).toEqual(['late', 'five', 'six']);
  });

  it('accept every genuine signature, and refuse a wrong key, message or signature', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.nat(63), (bytes, place) => {
        const [keys, other] = [Curve.generateKeyPair(), Curve.generateKeyPair()];
        const message = Buffer.from(bytes);
        const signature = Buffer.from(Curve.sign(keys.private, message));
        const changed = Buffer.from(signature);
        changed[place] = (changed[place] ?? 0) ^ 0x01;

        expect(verifySignature(keys.public, message, signature)).toBe(true);
        expect(() => verifySignature(other.public, message, signature)).toThrow('not valid');
        expect(() => verifySignature(keys.public, Buffer.concat([message, Buffer.from([0])]), signature)).toThrow(
          'not valid',
        );
        expect(() => verifySignature(keys.public, message, changed)).toThrow('not valid');
      }),
      { numRuns: 20 },
    );
  });

  it('make Baileys refuse what it accepted before: any signature at all', () => {
    const keys = Curve.generateKeyPair();

    expect(Curve.verify(keys.public, Buffer.from('message'), Buffer.alloc(64))).toBe(false);
  });
});
