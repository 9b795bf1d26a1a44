import crypto, { createCipheriv, createDecipheriv, createHmac, createSecretKey, type CipherKey } from 'node:crypto';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { takeKeysAsObjects } from '../../../../worker/socket/repairs/secretKeys.ts';

const plain = { createHmac, createCipheriv, createDecipheriv };
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

describe('keys of bytes in HMACs and ciphers', () => {
  beforeAll(takeKeysAsObjects);

  it('go through the patch also from what was imported by name before', () => {
    expect(createHmac).not.toBe(plain.createHmac);
    expect(createHmac).toBe(crypto.createHmac);
    expect(createCipheriv).toBe(crypto.createCipheriv);
    expect(createDecipheriv).toBe(crypto.createDecipheriv);
  });

  it('are patched once', () => {
    const { createHmac: patched } = crypto;

    takeKeysAsObjects();

    expect(crypto.createHmac).toBe(patched);
  });

  it('always give the same HMAC as before, whatever kind of key it is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array(), (key, data) => {
        const expected = plain.createHmac('sha256', key).update(data).digest('hex');

        for (const same of [key, Buffer.from(key), createSecretKey(key), new DataView(key.slice().buffer)]) {
          expect(createHmac('sha256', same).update(data).digest('hex')).toBe(expected);
        }
      }),
    );
    expect(createHmac('sha256', 'text').digest('hex')).toBe(plain.createHmac('sha256', 'text').digest('hex'));
  });

  it.each(['aes-256-gcm', 'aes-256-cbc'] as const)('always encrypt and decrypt as before: %s', (algorithm) => {
    const ivBytes = algorithm === 'aes-256-gcm' ? 12 : 16;
    fc.assert(
      fc.property(bytes(32), bytes(ivBytes), fc.uint8Array(), (key, iv, data) => {
        const cipher = (create: typeof createCipheriv) => {
          const made = create(algorithm, key, iv);
          return Buffer.concat([made.update(data), made.final()]).toString('hex');
        };
        const sealed = cipher(createCipheriv);

        expect(sealed).toBe(cipher(plain.createCipheriv));
        expect(createDecipheriv(algorithm, key, iv).update(sealed, 'hex', 'hex')).toBe(
          plain.createDecipheriv(algorithm, key, iv).update(sealed, 'hex', 'hex'),
        );
      }),
    );
  });

  it.each([
    { why: 'a key that is too short', key: Buffer.alloc(5) },
    { why: 'no key', key: undefined },
    { why: 'a number', key: 7 },
  ])('refuse with the same error as before: $why', ({ key }) => {
    const errorOf = (create: typeof createCipheriv): unknown => {
      try {
        return create('aes-256-gcm', key as unknown as CipherKey, Buffer.alloc(12));
      } catch (error) {
        return error;
      }
    };

    expect(errorOf(createCipheriv)).toBeInstanceOf(Error);
    expect(errorOf(createCipheriv)).toEqual(errorOf(plain.createCipheriv));
  });
});
