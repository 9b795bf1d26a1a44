import { createDecipheriv } from 'node:crypto';
import { proto } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import {
  codeOf,
  handoffKeyOf,
  handoffProofOf,
  makeCompanionIdentity,
  prologueOf,
  readPhoneIdentity,
  sealDeviceKeys,
  sealingKeyOf,
} from '../../../../worker/socket/pairing/passkey/passkeyKeys.ts';

/** The values were computed apart from this code: X25519 by RFC 7748, HKDF by RFC 5869, and the protobuf messages byte by byte. */
const IDENTITY =
  '0a2007a37cbc142093c8b755dc1b10e86cb426374ad16aa853ed0bdfc0b2b86d1c7c10011a107265662d6f662d612d6c696e6b696e67';
const COMMITMENT = '52e4cfc8f8708bc249d8b4a6ae041c7a7f2aa9ab7f676c04461fc423b16e26a3';
const HANDOFF_KEY = 'd265c06005200e97aafb5f687ef1c3f24af4533e1de9a4a1046c9782e27a271d';
const PROOF = 'e62ef0d1a421958480cfa2c7bc380ec370564a82d20f44ffe6338f9fee097868';
const SEALING_KEY = '0273e821d510af524034604572c8f84d8f6c52ef3f9da39b36a649cbdc6415f2';
const phone = {
  publicKey: Buffer.from('5869aff450549732cbaaed5e5df9b30a6da31cb0e5742bad5ad4a1a768f1a67b', 'hex'),
  nonce: Buffer.from(Array.from({ length: 32 }, (_, at) => 200 + at)),
};
const identity = makeCompanionIdentity(
  'ref-of-a-linking',
  Buffer.from(Array.from({ length: 32 }, (_, at) => at + 1)),
  Buffer.alloc(32, 7),
);

describe('the keys of a linking by passkey', () => {
  it('has the identity and the commitment in the payload, in this order', () => {
    const payload = Buffer.from(prologueOf(identity)).toString('hex');

    expect(Buffer.from(identity.encoded).toString('hex')).toBe(IDENTITY);
    expect(payload).toBe(`0a36${IDENTITY}12220a20${COMMITMENT}`);
  });

  it('proves the hand-off with a key of the secret that the phone has read', () => {
    const key = handoffKeyOf(Buffer.alloc(32, 9));

    const proof = handoffProofOf(key, prologueOf(identity));

    expect(key.toString('hex')).toBe(HANDOFF_KEY);
    expect(proof.toString('hex')).toBe(PROOF);
  });

  it('has the code that the phone shows', () => {
    expect(codeOf(identity, phone)).toBe('X3HTWKZZ');
  });

  it('seals the keys of the device for the phone alone', () => {
    const keys = {
      noiseKey: Buffer.alloc(32, 1),
      identityKey: Buffer.alloc(32, 2),
      linkingSecret: Buffer.alloc(32, 3),
    };
    const sealingKey = sealingKeyOf(identity, phone);

    const sealed = proto.EncryptedPairingRequest.decode(sealDeviceKeys(keys, sealingKey, Buffer.alloc(12, 5)));
    const payload = Buffer.from(sealed.encryptedPayload ?? []);
    const decipher = createDecipheriv('aes-256-gcm', Buffer.from(SEALING_KEY, 'hex'), sealed.iv ?? Buffer.alloc(0));
    decipher.setAuthTag(payload.subarray(-16));
    const opened = Buffer.concat([decipher.update(payload.subarray(0, -16)), decipher.final()]);

    const parts = [keys.noiseKey, keys.identityKey, keys.linkingSecret];
    const written = parts.flatMap((key, at) => [Buffer.from([((at + 1) << 3) | 2, 32]), key]);
    expect(sealingKey.toString('hex')).toBe(SEALING_KEY);
    expect(opened.toString('hex')).toBe(Buffer.concat(written).toString('hex'));
  });

  it.each([
    ['a public key that is too short', { publicKey: Buffer.alloc(31, 1), nonce: phone.nonce }],
    ['a nonce that is too long', { publicKey: phone.publicKey, nonce: Buffer.alloc(33, 1) }],
    ['no nonce', { publicKey: phone.publicKey }],
  ])('reads no identity of a phone with %s', (_name, shown) => {
    expect(readPhoneIdentity(proto.PrimaryEphemeralIdentity.encode(shown).finish())).toBeUndefined();
  });

  it('reads no identity of what is no protobuf, and agrees on nothing with a key of no order', () => {
    expect(readPhoneIdentity(Buffer.from('ffffffff', 'hex'))).toBeUndefined();
    expect(() => sealingKeyOf(identity, { publicKey: Buffer.alloc(32), nonce: phone.nonce })).toThrow('derivation');
  });
});
