import { createPublicKey, verify } from 'node:crypto';
import { proto } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { PlainAccount } from './plainSocket.ts';
import { silenceConsole } from './silenceConsole.ts';
import { useStage } from './sockets.ts';

silenceConsole();
const ANN = '4915100000001';
const P = 2n ** 255n - 19n;

describe('signatures of the simulator', () => {
  const stage = useStage({ Ann: ANN });

  it('certify the static key by the authority that clients pin', () => {
    const { keys } = stage.whatsApp().world;
    const { intermediate, leaf } = proto.CertChain.decode(keys.certificates);
    const { Details } = proto.CertChain.NoiseCertificate;
    const details = [intermediate, leaf].map((certificate) => Details.decode(certificate?.details ?? new Uint8Array()));
    const nowSeconds = Date.now() / 1_000;

    expect(
      isGenuine(Buffer.from(stage.whatsApp().rootKey, 'hex'), intermediate?.details, intermediate?.signature),
    ).toBe(true);
    expect(isGenuine(details[0]?.key, leaf?.details, leaf?.signature)).toBe(true);
    expect(Buffer.from(details[1]?.key ?? [])).toEqual(Buffer.from(keys.static.public));
    expect([details[0]?.issuerSerial, details[1]?.issuerSerial === details[0]?.serial]).toEqual([0, true]);
    for (const { notBefore, notAfter } of details) {
      expect(Number(notBefore)).toBeLessThan(nowSeconds);
      expect(Number(notAfter)).toBeGreaterThan(nowSeconds + 86_400);
    }
  });

  it('bind a linked device to its account', async () => {
    const account = new PlainAccount();
    await stage.pair(ANN, account);
    const signed = account.creds.account;
    const message = Buffer.concat([
      Buffer.from([6, 0]),
      signed?.details ?? Buffer.alloc(0),
      account.creds.signedIdentityKey.public,
    ]);

    expect(isGenuine(signed?.accountSignatureKey, message, signed?.accountSignature)).toBe(true);
    expect(
      isGenuine(signed?.accountSignatureKey, Buffer.concat([message, Buffer.from([0])]), signed?.accountSignature),
    ).toBe(false);
  });

  it('sign the pre-keys of phones', () => {
    const { identity, signedPreKey } = stage.whatsApp().world.accounts.get(ANN)?.phone.takeBundle() ?? {};
    const message = Buffer.concat([Buffer.from([5]), signedPreKey?.value ?? Buffer.alloc(0)]);

    expect(isGenuine(identity, message, signedPreKey?.signature)).toBe(true);
  });
});

/** Verifies XEdDSA with Ed25519 of Node: the key moves from Montgomery's u to Edwards' y, its sign comes in the signature. */
function isGenuine(
  key: Uint8Array | null | undefined,
  message: Uint8Array | null | undefined,
  signature: Uint8Array | null | undefined,
): boolean {
  if (!key || !message || !signature) return false;
  const u = BigInt(`0x${Buffer.from(key).reverse().toString('hex')}`) % P;
  const y = mod((u - 1n) * power(u + 1n, P - 2n));
  const edwards = Buffer.from(y.toString(16).padStart(64, '0'), 'hex').reverse();
  const plain = Buffer.from(signature);
  edwards[31] = (edwards[31] ?? 0) | ((plain[63] ?? 0) & 0x80);
  plain[63] = (plain[63] ?? 0) & 0x7f;
  const publicKey = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: edwards.toString('base64url') },
    format: 'jwk',
  });
  return verify(null, message, publicKey, plain);
}

function mod(value: bigint): bigint {
  return ((value % P) + P) % P;
}

function power(base: bigint, exponent: bigint): bigint {
  let [result, square, rest] = [1n, mod(base), exponent];
  for (; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = mod(result * square);
    square = mod(square * square);
  }
  return result;
}
