import { Curve } from '@whiskeysockets/baileys';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  assertRepairable,
  repairLibsignal,
  verifySignature,
} from '../../../../worker/socket/repairs/libsignalRepairs.ts';
import { aParty, libsignal } from '../../signalParties.ts';

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

  it('are refused for another version than they were written for', () => {
    expect(() => assertRepairable('6.0.0')).not.toThrow();
    for (const version of ['6.0.1', '5.9.9', '7.0.0', '']) {
      expect(() => assertRepairable(version)).toThrow('Check them before an upgrade');
    }
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
