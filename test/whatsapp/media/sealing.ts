import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, type Hmac } from 'node:crypto';
import { KEY_TEXTS, type FileUse } from './fileKinds.ts';

/**
 * How a file is sealed for its readers: AES-256-CBC, then the first 10 bytes of an HMAC over the vector and the ciphertext.
 * It is written with Node's crypto alone, and not with the functions of Baileys, so that a fault that the client shares with
 * itself shows. Whatever its length, a file passes through in chunks and is never in memory.
 */
export const MAC_BYTES = 10;
const BLOCK_BYTES = 16;
/** A player checks this much at once. */
const PART_BYTES = 65_536;

export interface FileKeys {
  readonly iv: Buffer;
  readonly cipherKey: Buffer;
  readonly macKey: Buffer;
}

/** The keys of a file, from the key in its message. */
export function keysOf(mediaKey: Uint8Array, use: FileUse): FileKeys {
  const bytes = Buffer.from(hkdfSync('sha256', mediaKey, Buffer.alloc(0), KEY_TEXTS[use], 112));
  return { iv: bytes.subarray(0, 16), cipherKey: bytes.subarray(16, 48), macKey: bytes.subarray(48, 80) };
}

/** What is known of a file when it was sealed to its end. */
export interface Sealed {
  readonly sha256: Buffer;
  readonly bytes: number;
  readonly sidecar: Buffer;
}

/** Seals content. `sealed` holds once the chunks were read to their end. */
export class Sealing {
  readonly #content: AsyncIterable<Uint8Array>;
  readonly #keys: FileKeys;
  #sealed: Sealed | undefined;

  constructor(content: AsyncIterable<Uint8Array>, keys: FileKeys) {
    this.#content = content;
    this.#keys = keys;
  }

  async *chunks(): AsyncGenerator<Buffer> {
    const { iv, cipherKey, macKey } = this.#keys;
    const cipher = createCipheriv('aes-256-cbc', cipherKey, iv);
    const [hash, mac, sidecar] = [createHash('sha256'), createHmac('sha256', macKey).update(iv), new Sidecar(macKey)];
    sidecar.update(iv);
    let bytes = 0;
    const pass = (chunk: Buffer): Buffer => {
      mac.update(chunk);
      sidecar.update(chunk);
      return chunk;
    };
    for await (const chunk of this.#content) {
      hash.update(chunk);
      bytes += chunk.length;
      yield pass(cipher.update(chunk));
    }
    yield pass(cipher.final());
    const end = mac.digest().subarray(0, MAC_BYTES);
    sidecar.update(end);
    yield end;
    this.#sealed = { sha256: hash.digest(), bytes, sidecar: sidecar.digest() };
  }

  get sealed(): Sealed {
    if (this.#sealed === undefined) throw new Error('it is not sealed to its end');
    return this.#sealed;
  }
}

/** What is found when a sealed file was read to its end. */
export interface Opened {
  readonly isAuthentic: boolean;
  /** Whether the last block was filled up as it has to be. */
  readonly isPadded: boolean;
  readonly sealedSha256: Buffer;
  readonly sha256: Buffer;
  readonly bytes: number;
  readonly sidecar: Buffer;
}

/** Opens a sealed file. What the chunks say counts only if `opened`, which holds at their end, says that it is authentic. */
export class Opening {
  readonly #blob: AsyncIterable<Uint8Array>;
  readonly #keys: FileKeys;
  #opened: Opened | undefined;

  constructor(blob: AsyncIterable<Uint8Array>, keys: FileKeys) {
    this.#blob = blob;
    this.#keys = keys;
  }

  async *chunks(): AsyncGenerator<Buffer> {
    const { iv, cipherKey, macKey } = this.#keys;
    const decipher = createDecipheriv('aes-256-cbc', cipherKey, iv);
    const [sealedHash, hash] = [createHash('sha256'), createHash('sha256')];
    const [mac, sidecar] = [createHmac('sha256', macKey).update(iv), new Sidecar(macKey)];
    sidecar.update(iv);
    let bytes = 0;
    const pass = (chunk: Buffer): Buffer => {
      hash.update(chunk);
      bytes += chunk.length;
      return chunk;
    };
    // The last bytes are the MAC: as many are always held back.
    let held = Buffer.alloc(0);
    for await (const chunk of this.#blob) {
      sealedHash.update(chunk);
      sidecar.update(chunk);
      const all = Buffer.concat([held, chunk]);
      const end = Math.max(0, all.length - MAC_BYTES);
      held = all.subarray(end);
      mac.update(all.subarray(0, end));
      yield pass(decipher.update(all.subarray(0, end)));
    }
    const last = endOf(decipher);
    if (last !== undefined) yield pass(last);
    this.#opened = {
      isAuthentic: mac.digest().subarray(0, MAC_BYTES).equals(held),
      isPadded: last !== undefined,
      sealedSha256: sealedHash.digest(),
      sha256: hash.digest(),
      bytes,
      sidecar: sidecar.digest(),
    };
  }

  get opened(): Opened {
    if (this.#opened === undefined) throw new Error('it is not read to its end');
    return this.#opened;
  }
}

/** The last block; undefined when it was not filled up as it has to be. */
function endOf(decipher: ReturnType<typeof createDecipheriv>): Buffer | undefined {
  try {
    return decipher.final();
  } catch {
    return undefined;
  }
}

/** How long a file is once it is sealed. */
export function sealedBytesOf(bytes: number): number {
  return (Math.floor(bytes / BLOCK_BYTES) + 1) * BLOCK_BYTES + MAC_BYTES;
}

/**
 * The sidecar: an HMAC of 10 bytes for every part of 64 KB and the block after it, over vector, ciphertext and MAC, so that a
 * player can check a part without the rest. The form is that of public clients; nobody has verified it.
 */
class Sidecar {
  readonly #macKey: Buffer;
  readonly #done: Buffer[] = [];
  /** The part that is being read, and the one before it while it still takes its last block. */
  #now: Hmac;
  #before: Hmac | undefined;
  #read = 0;

  constructor(macKey: Buffer) {
    this.#macKey = macKey;
    this.#now = createHmac('sha256', macKey);
  }

  update(chunk: Uint8Array): void {
    for (let from = 0; from < chunk.length;) {
      if (this.#read === PART_BYTES) {
        this.#before = this.#now;
        this.#now = createHmac('sha256', this.#macKey);
        this.#read = 0;
      }
      const until = this.#before === undefined ? PART_BYTES : BLOCK_BYTES;
      const piece = chunk.subarray(from, from + until - this.#read);
      this.#now.update(piece);
      this.#before?.update(piece);
      this.#read += piece.length;
      from += piece.length;
      if (this.#before !== undefined && this.#read === BLOCK_BYTES) this.#close(this.#before);
    }
  }

  digest(): Buffer {
    if (this.#before !== undefined) this.#close(this.#before);
    if (this.#read > 0) this.#close(this.#now);
    return Buffer.concat(this.#done);
  }

  #close(part: Hmac): void {
    this.#done.push(part.digest().subarray(0, MAC_BYTES));
    if (part === this.#before) this.#before = undefined;
  }
}
