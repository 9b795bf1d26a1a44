import {
  createCipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';
import { bytesToCrockford, proto } from '@whiskeysockets/baileys';

/**
 * The keys and payloads of a linking by passkey. The order of bytes, the words of HKDF and the protobuf messages are those of
 * WhatsApp's web client (`WAWebShortcakeLinkingAlgorithm`, `WAWebShortcakeLinkingHandoffProof`) and of whatsmeow
 * (`pair-passkey.go`, 2026-06-30), which agree; nobody of this project has seen them on WhatsApp's wire.
 */
export const SECRET_BYTES = 32;
export const IV_BYTES = 12;
const CODE_BYTES = 5;
const HANDOFF = 'shortcake-passkey-handoff-v1';
const SEALING = 'Pairing Information Encryption Key';

/** What comes before 32 bytes of an X25519 key in PKCS #8, and in SPKI (RFC 8410). */
const PRIVATE_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex');
const PUBLIC_PREFIX = Buffer.from('302a300506032b656e032100', 'hex');

/** The platform of this client: its registration says Chrome, too. */
export const PLATFORM = proto.DeviceProps.PlatformType.CHROME;

/** The short-lived identity of this client in one linking. */
export interface CompanionIdentity {
  readonly privateKey: KeyObject;
  /** The reference that WhatsApp gave for it. */
  readonly ref: string;
  /** The number that is shown only when the phone has chosen its own: 32 bytes. */
  readonly nonce: Uint8Array;
  /** `CompanionEphemeralIdentity`, as protobuf. */
  readonly encoded: Uint8Array;
}

/** The identity of the phone in the same linking: 32 bytes each. */
export interface PhoneIdentity {
  readonly publicKey: Uint8Array;
  readonly nonce: Uint8Array;
}

/**
 * Makes the identity of this client.
 * @param secret 32 bytes, of which the private key is made
 * @param nonce 32 bytes
 */
export function makeCompanionIdentity(ref: string, secret: Uint8Array, nonce: Uint8Array): CompanionIdentity {
  const key = Buffer.concat([PRIVATE_PREFIX, secret]);
  const privateKey = createPrivateKey({ key, format: 'der', type: 'pkcs8' });
  const publicKey = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(PUBLIC_PREFIX.length);
  const encoded = proto.CompanionEphemeralIdentity.encode({ publicKey, deviceType: PLATFORM, ref }).finish();
  return { privateKey, ref, nonce, encoded };
}

/** `ProloguePayload`: the identity, and a commitment to the nonce, which is shown later. */
export function prologueOf({ encoded, nonce }: CompanionIdentity): Uint8Array {
  const hash = createHash('sha256').update(encoded).update(nonce).digest();
  return proto.ProloguePayload.encode({ companionEphemeralIdentity: encoded, commitment: { hash } }).finish();
}

/** The key by which the phone knows that the prologue comes from the client whose QR text or code it has read. */
export function handoffKeyOf(linkingSecret: Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', linkingSecret, Buffer.alloc(0), HANDOFF, SECRET_BYTES));
}

export function handoffProofOf(handoffKey: Uint8Array, prologue: Uint8Array): Buffer {
  return createHmac('sha256', handoffKey).update(prologue).digest();
}

/** Reads `PrimaryEphemeralIdentity`; undefined for what is none. */
export function readPhoneIdentity(encoded: Uint8Array): PhoneIdentity | undefined {
  try {
    const { publicKey, nonce } = proto.PrimaryEphemeralIdentity.decode(encoded);
    const isWhole = publicKey?.length === SECRET_BYTES && nonce?.length === SECRET_BYTES;
    return isWhole ? { publicKey, nonce } : undefined;
  } catch {
    return undefined;
  }
}

/** The eight characters that both sides show, for a person to compare. */
export function codeOf({ nonce }: Pick<CompanionIdentity, 'nonce'>, phone: PhoneIdentity): string {
  const digest = createHash('sha256').update(nonce).update(phone.publicKey).digest();
  return bytesToCrockford(Buffer.from(digest.subarray(0, CODE_BYTES).map((byte, at) => byte ^ (phone.nonce[at] ?? 0))));
}

/** The key that seals what the phone is to know. Throws for a public key that agrees on nothing. */
export function sealingKeyOf({ privateKey, ref }: CompanionIdentity, { publicKey }: PhoneIdentity): Buffer {
  const key = Buffer.concat([PUBLIC_PREFIX, publicKey]);
  const shared = diffieHellman({ privateKey, publicKey: createPublicKey({ key, format: 'der', type: 'spki' }) });
  const salt = `Companion Pairing ${PLATFORM} with ref ${ref}`;
  return Buffer.from(hkdfSync('sha256', shared, salt, SEALING, SECRET_BYTES));
}

/** The public keys of the new device and the secret of its link: what the phone signs, and seals its signature with. */
export interface DeviceKeys {
  readonly noiseKey: Uint8Array;
  readonly identityKey: Uint8Array;
  readonly linkingSecret: Uint8Array;
}

/** `EncryptedPairingRequest`. @param iv 12 bytes that were never used before */
export function sealDeviceKeys(keys: DeviceKeys, sealingKey: Uint8Array, iv: Uint8Array): Uint8Array {
  const request = proto.PairingRequest.encode({
    companionPublicKey: keys.noiseKey,
    companionIdentityKey: keys.identityKey,
    advSecret: keys.linkingSecret,
  }).finish();
  const cipher = createCipheriv('aes-256-gcm', sealingKey, iv);
  const encryptedPayload = Buffer.concat([cipher.update(request), cipher.final(), cipher.getAuthTag()]);
  return proto.EncryptedPairingRequest.encode({ encryptedPayload, iv }).finish();
}
