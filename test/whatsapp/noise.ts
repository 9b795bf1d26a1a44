import { aesDecryptGCM, aesEncryptGCM, Curve, hkdf, proto, sha256, type KeyPair } from '@whiskeysockets/baileys';

/**
 * The server's side of Noise_XX_25519_AESGCM_SHA256 as WhatsApp uses it (docs/whatsapp.md, "Transport"), and the certificate chain
 * that it shows. Every signature is genuine, so that a client that checks them is served too.
 */
const PROTOCOL_NAME = Buffer.from('Noise_XX_25519_AESGCM_SHA256\0\0\0\0');
/** `WA`, version 6, dictionary 3: what a client sends first, and the prologue of the handshake. */
export const PROLOGUE = Buffer.from([0x57, 0x41, 6, 3]);
const NO_BYTES = Buffer.alloc(0);

export interface ServerKeys {
  /** Signs the intermediate certificate; clients pin its public half. */
  readonly authority: KeyPair;
  readonly intermediate: KeyPair;
  /** The static key of the handshake; the leaf certificate is about it. */
  readonly static: KeyPair;
  readonly certificates: Uint8Array;
}

/** Makes an authority and the chain authority → intermediate → static key. Valid for ten years. */
export function makeServerKeys(nowMs: number): ServerKeys {
  const authority = Curve.generateKeyPair();
  const intermediate = Curve.generateKeyPair();
  const serverKey = Curve.generateKeyPair();
  const notBefore = Math.floor(nowMs / 1_000) - 86_400;
  const notAfter = notBefore + 10 * 365 * 86_400;
  const { Details } = proto.CertChain.NoiseCertificate;
  const intermediateDetails = Details.encode({
    serial: 1,
    issuerSerial: 0,
    key: intermediate.public,
    notBefore,
    notAfter,
  }).finish();
  const leafDetails = Details.encode({
    serial: 2,
    issuerSerial: 1,
    key: serverKey.public,
    notBefore,
    notAfter,
  }).finish();
  const certificates = proto.CertChain.encode({
    intermediate: { details: intermediateDetails, signature: Curve.sign(authority.private, intermediateDetails) },
    leaf: { details: leafDetails, signature: Curve.sign(intermediate.private, leafDetails) },
  }).finish();
  return { authority, intermediate, static: serverKey, certificates };
}

/** One handshake, then one encrypted transport, of one connection. */
export class NoiseResponder {
  readonly #keys: ServerKeys;
  readonly #ephemeral = Curve.generateKeyPair();
  #hash: Buffer = PROTOCOL_NAME;
  #salt: Buffer = PROTOCOL_NAME;
  #key: Buffer = PROTOCOL_NAME;
  #counter = 0;
  #transport: { readonly read: Buffer; readonly write: Buffer; reads: number; writes: number } | undefined;

  constructor(keys: ServerKeys) {
    this.#keys = keys;
    this.#mixHash(PROLOGUE);
  }

  /** Answers the client's hello. Throws when it is none. */
  answerHello(frame: Uint8Array): Uint8Array {
    const clientEphemeral = proto.HandshakeMessage.decode(frame).clientHello?.ephemeral;
    if (!clientEphemeral) throw new Error('not a client hello');
    this.#mixHash(clientEphemeral);
    this.#mixHash(this.#ephemeral.public);
    this.#mixKey(Curve.sharedKey(this.#ephemeral.private, clientEphemeral));
    const sealedStatic = this.#seal(this.#keys.static.public);
    this.#mixKey(Curve.sharedKey(this.#keys.static.private, clientEphemeral));
    const payload = this.#seal(this.#keys.certificates);
    return proto.HandshakeMessage.encode({
      serverHello: { ephemeral: this.#ephemeral.public, static: sealedStatic, payload },
    }).finish();
  }

  /** Reads the client's finish and switches to transport. Throws when a seal does not fit. */
  readFinish(frame: Uint8Array): { readonly clientStatic: Buffer; readonly payload: proto.ClientPayload } {
    const finish = proto.HandshakeMessage.decode(frame).clientFinish;
    if (!finish?.static || !finish.payload) throw new Error('not a client finish');
    const clientStatic = this.#open(finish.static);
    this.#mixKey(Curve.sharedKey(this.#ephemeral.private, clientStatic));
    const payload = proto.ClientPayload.decode(this.#open(finish.payload));
    const expanded = Buffer.from(hkdf(NO_BYTES, 64, { salt: this.#salt, info: '' }));
    this.#transport = { read: expanded.subarray(0, 32), write: expanded.subarray(32), reads: 0, writes: 0 };
    return { clientStatic, payload };
  }

  encrypt(plaintext: Uint8Array): Buffer {
    if (this.#transport === undefined) throw new Error('the handshake is not finished');
    return aesEncryptGCM(plaintext, this.#transport.write, nonce(this.#transport.writes++), NO_BYTES);
  }

  decrypt(ciphertext: Uint8Array): Buffer {
    if (this.#transport === undefined) throw new Error('the handshake is not finished');
    return aesDecryptGCM(ciphertext, this.#transport.read, nonce(this.#transport.reads++), NO_BYTES);
  }

  #mixHash(bytes: Uint8Array): void {
    this.#hash = sha256(Buffer.concat([this.#hash, bytes]));
  }

  #mixKey(secret: Uint8Array): void {
    const expanded = Buffer.from(hkdf(Buffer.from(secret), 64, { salt: this.#salt, info: '' }));
    this.#salt = expanded.subarray(0, 32);
    this.#key = expanded.subarray(32);
    this.#counter = 0;
  }

  #seal(plaintext: Uint8Array): Buffer {
    const sealed = aesEncryptGCM(plaintext, this.#key, nonce(this.#counter++), this.#hash);
    this.#mixHash(sealed);
    return sealed;
  }

  #open(sealed: Uint8Array): Buffer {
    const plaintext = aesDecryptGCM(sealed, this.#key, nonce(this.#counter++), this.#hash);
    this.#mixHash(sealed);
    return plaintext;
  }
}

function nonce(counter: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32BE(counter, 8);
  return bytes;
}
