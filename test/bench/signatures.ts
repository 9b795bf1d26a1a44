/**
 * `npm run bench:signatures`: what it costs to check the signatures of a connect, and whether the check checks. Each connect
 * verifies two: the root signs WhatsApp's intermediate certificate, the intermediate signs the leaf. And what HMACs and
 * ciphers with keys of bytes cost, as libsignal and Baileys make them for each message. CPU time of this process, user and
 * system. Exits 1 when ours accepts a wrong signature, refuses a genuine one, or is not the faster in either.
 */
import crypto, { randomBytes } from 'node:crypto';
import { cpus } from 'node:os';
import { Curve } from '@whiskeysockets/baileys';
import { verifySignature } from '../../worker/socket/repairs/libsignalRepairs.ts';
import { takeKeysAsObjects } from '../../worker/socket/repairs/secretKeys.ts';

type Verify = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;
interface Signed {
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}
interface Measured {
  readonly name: string;
  readonly verifications: number;
  readonly cpuMs: number;
  readonly genuineAccepted: number;
  readonly wrongAccepted: number;
}

const keyUseNames = ['HMAC-SHA256', 'AES-256-GCM, sealing', 'AES-256-GCM, opening'] as const;
type KeyUse = (typeof keyUseNames)[number];

const VERIFICATIONS_PER_CONNECT = 2;
const KEY_USES = 20_000;
const KEYS = 20;
/** About the size of a certificate's details. */
const MESSAGE_BYTES = 80;

const genuine = Array.from({ length: KEYS }, sign);
const wrong = [
  ...genuine.map((signed) => ({ ...signed, publicKey: Curve.generateKeyPair().public })),
  ...genuine.map((signed) => ({ ...signed, message: randomBytes(MESSAGE_BYTES) })),
  ...genuine.map((signed) => ({ ...signed, signature: Buffer.alloc(64) })),
];
// Importing the repair does not make it: Baileys is as it comes here.
const plain = measure(
  'plain rc14, Curve.verify',
  (key, message, signature) => Curve.verify(key, message, signature),
  200,
);
const ours = measure('ours, verifySignature', verifySignature, 5_000);

const say = (line: string): void => void process.stdout.write(`${line}\n`);
say(`${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}, node ${process.version}\n`);
say('                          CPU ms per     CPU ms per      genuine     wrong key, message or');
say('                          verification   connect (two)   accepted    signature accepted');
for (const { name, verifications, cpuMs, genuineAccepted, wrongAccepted } of [plain, ours]) {
  const each = cpuMs / verifications;
  say(
    name.padEnd(26) +
      each.toFixed(2).padEnd(15) +
      (each * VERIFICATIONS_PER_CONNECT).toFixed(2).padEnd(16) +
      `${genuineAccepted} of ${genuine.length}`.padEnd(12) +
      `${wrongAccepted} of ${wrong.length}`,
  );
}
const isFaster = ours.cpuMs / ours.verifications < plain.cpuMs / plain.verifications;

const before = measureKeyUse();
takeKeysAsObjects();
const after = measureKeyUse();
say('\nwith a key of bytes       node as it is, µs     ours, µs');
for (const name of keyUseNames) {
  say(name.padEnd(26) + before[name].toFixed(1).padEnd(22) + after[name].toFixed(1));
}
const isCheaper = keyUseNames.every((name) => after[name] < before[name]);
const isRight = ours.wrongAccepted === 0 && ours.genuineAccepted === genuine.length;
process.exitCode = isRight && isFaster && isCheaper ? 0 : 1;

/** Microseconds of CPU for each, from the key to the result. */
function measureKeyUse(): Readonly<Record<KeyUse, number>> {
  const [key, iv, message] = [randomBytes(32), randomBytes(12), randomBytes(MESSAGE_BYTES)];
  const each = (use: () => unknown): number => {
    const started = process.cpuUsage();
    for (let count = 0; count < KEY_USES; count += 1) use();
    const { user, system } = process.cpuUsage(started);
    return (user + system) / KEY_USES;
  };
  return {
    'HMAC-SHA256': each(() => crypto.createHmac('sha256', key).update(message).digest()),
    'AES-256-GCM, sealing': each(() => crypto.createCipheriv('aes-256-gcm', key, iv).update(message)),
    'AES-256-GCM, opening': each(() => crypto.createDecipheriv('aes-256-gcm', key, iv).update(message)),
  };
}

function measure(name: string, verify: Verify, verifications: number): Measured {
  const genuineAccepted = countAccepted(verify, genuine);
  const wrongAccepted = countAccepted(verify, wrong);
  const before = process.cpuUsage();
  for (let count = 0; count < verifications; count += 1) {
    const signed = genuine[count % genuine.length];
    if (signed !== undefined) verify(signed.publicKey, signed.message, signed.signature);
  }
  const { user, system } = process.cpuUsage(before);
  return { name, verifications, cpuMs: (user + system) / 1_000, genuineAccepted, wrongAccepted };
}

function countAccepted(verify: Verify, all: readonly Signed[]): number {
  return all.filter(({ publicKey, message, signature }) => {
    try {
      return verify(publicKey, message, signature);
    } catch {
      return false;
    }
  }).length;
}

function sign(): Signed {
  const { public: publicKey, private: privateKey } = Curve.generateKeyPair();
  const message = randomBytes(MESSAGE_BYTES);
  return { publicKey, message, signature: Curve.sign(privateKey, message) };
}
