import { createCipheriv, createHash, createHmac, type Hmac } from 'node:crypto';
import { keysOf, MAC_BYTES, type OpenedBy } from './sealedFile.ts';
import type { SentUse } from './sentUse.ts';

/** What the keys of a file are derived for, by what it is sent as (whatsmeow, `mediaTypeToMMSType` and `MediaType`). */
export const sealUses = {
  image: 'image',
  video: 'video',
  gif: 'video',
  video_note: 'video',
  audio: 'audio',
  voice: 'audio',
  document: 'document',
  sticker: 'image',
  sticker_pack: 'sticker_pack',
} as const satisfies Readonly<Record<SentUse, NonNullable<OpenedBy['use']>>>;

/** A player checks so much of a film or a sound at once. Source: the sidecar of whatsmeow and Baileys. */
const PART_BYTES = 65_536;
const BLOCK_BYTES = 16;
/** The longest sidecar that a message has room for, in bytes: that of 100 MB. */
const MOST_SIDECAR_BYTES = 16_000;

/** What a file was found to be when it was sealed to its end. */
export interface SealFound {
  /** SHA-256 of it as it lies sealed, in base64. */
  readonly sealedSha256: string;
  readonly sealedBytes: number;
  /** What a player checks its parts with, in base64; absent where it is longer than a message has room for. */
  readonly sidecar?: string;
}

/**
 * Seals a file as it comes: AES-256-CBC, and behind it the first ten bytes of an HMAC-SHA256 of initialisation vector and ciphertext. The same
 * key makes the same bytes, each time. Memory: one chunk. Throws {@link FileFaultError} for a key that is none.
 * @param found is called with what was found, before the last bytes are given
 */
export async function* sealFile(
  source: AsyncIterable<Uint8Array>,
  by: Required<Pick<OpenedBy, 'key' | 'use'>>,
  found: (found: SealFound) => void,
): AsyncGenerator<Uint8Array> {
  const { iv, cipherKey, macKey } = keysOf(by);
  const cipher = createCipheriv('aes-256-cbc', cipherKey, iv);
  const [hmac, hash, sidecar] = [createHmac('sha256', macKey).update(iv), createHash('sha256'), new Sidecar(macKey)];
  sidecar.update(iv);
  let sealedBytes = 0;
  const pass = (sealed: Uint8Array): Uint8Array => {
    hash.update(sealed);
    sidecar.update(sealed);
    sealedBytes += sealed.length;
    return sealed;
  };
  for await (const chunk of source) {
    const sealed = cipher.update(chunk);
    hmac.update(sealed);
    if (sealed.length > 0) yield pass(sealed);
  }
  const last = cipher.final();
  hmac.update(last);
  yield pass(last);
  const mac = pass(hmac.digest().subarray(0, MAC_BYTES));
  const parts = sidecar.end();
  const checked = parts.length <= MOST_SIDECAR_BYTES ? { sidecar: parts.toString('base64') } : {};
  found({ sealedSha256: hash.digest('base64'), sealedBytes, ...checked });
  yield mac;
}

/**
 * What a player checks parts of a film or a sound with before it has the whole: ten bytes of an HMAC for each 64 KB of vector,
 * ciphertext and code, and the block behind them. The form is that of public clients.
 */
class Sidecar {
  readonly #macKey: Uint8Array;
  readonly #done: Buffer[] = [];
  /** The part that is being read, and how much of it was. */
  #part: Hmac;
  #read = 0;
  /** The part before it, which takes a block more. */
  #before: Hmac | undefined;

  constructor(macKey: Uint8Array) {
    this.#macKey = macKey;
    this.#part = createHmac('sha256', macKey);
  }

  update(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length;) {
      const most = this.#before === undefined ? PART_BYTES : BLOCK_BYTES;
      const piece = bytes.subarray(from, from + most - this.#read);
      this.#part.update(piece);
      this.#before?.update(piece);
      this.#read += piece.length;
      from += piece.length;
      if (this.#read === BLOCK_BYTES) this.#endBefore();
      if (this.#read < PART_BYTES) continue;
      this.#before = this.#part;
      this.#part = createHmac('sha256', this.#macKey);
      this.#read = 0;
    }
  }

  end(): Buffer {
    this.#endBefore();
    if (this.#read > 0) this.#done.push(this.#part.digest().subarray(0, MAC_BYTES));
    return Buffer.concat(this.#done);
  }

  #endBefore(): void {
    if (this.#before !== undefined) this.#done.push(this.#before.digest().subarray(0, MAC_BYTES));
    this.#before = undefined;
  }
}
