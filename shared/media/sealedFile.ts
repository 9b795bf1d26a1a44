import { createDecipheriv, createHash, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { MediaFile } from '../content/mediaFile.ts';

/** What the keys of a file are derived for: its use, and that of what stands for a pack of stickers in a chat. */
export type SealUse = NonNullable<MediaFile['use']> | 'sticker_pack_cover';

/**
 * How WhatsApp seals a file, as its clients do it (https://github.com/tulir/whatsmeow, `download.go`): AES-256-CBC, and behind it the first ten bytes of
 * an HMAC-SHA256 of initialisation vector and ciphertext. All keys are derived from the one in the message, for the use of the file.
 */
const WORDS: Readonly<Record<SealUse, string>> = {
  image: 'WhatsApp Image Keys',
  video: 'WhatsApp Video Keys',
  audio: 'WhatsApp Audio Keys',
  document: 'WhatsApp Document Keys',
  sticker: 'WhatsApp Image Keys',
  sticker_pack: 'WhatsApp Sticker Pack Keys',
  sticker_pack_cover: 'WhatsApp Sticker Pack Thumbnail Keys',
  history: 'WhatsApp History Keys',
  payment: 'WhatsApp Payment Background Keys',
};
/** The length of the code at the end of a sealed file, in bytes. */
export const MAC_BYTES = 10;
const KEY_BYTES = 32;
const BLOCK_BYTES = 16;

/** What is wrong with a file: it can never be opened, however often it is fetched. */
export type FileFault = 'mac_differs' | 'hash_differs' | 'too_short' | 'key_unusable' | 'too_large';

/** The bytes of a file are not what the message says. */
export class FileFaultError extends Error {
  override readonly name = 'FileFaultError';
  readonly fault: FileFault;

  constructor(fault: FileFault) {
    super(`the file cannot be used: ${fault}`);
    this.fault = fault;
  }
}

/** How a file is opened and checked. A file of a channel is not sealed and has no key (`plain`). */
export type OpenedBy = Pick<MediaFile, 'key' | 'sha256' | 'plain'> & { readonly use?: SealUse | undefined };

/** What a file was found to be when it was read to its end. */
export interface FileFound {
  bytes: number;
  /** SHA-256 of the file, in base64. */
  sha256: string;
}

/**
 * Opens a file as it comes. Its bytes may be used only when the iteration has ended well: only then is known that nobody has changed them. Memory: one chunk.
 * Throws {@link FileFaultError}, also where the source gives more than `mostBytes`.
 * @param found is filled at the end
 */
export async function* openFile(
  source: AsyncIterable<Uint8Array>,
  by: OpenedBy,
  mostBytes: number,
  found: FileFound,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of by.plain === true ? source : decrypted(source, by)) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw new FileFaultError('too_large');
    hash.update(chunk);
    if (chunk.length > 0) yield chunk;
  }
  const sha256 = hash.digest('base64');
  if (by.sha256 !== undefined && by.sha256 !== sha256) throw new FileFaultError('hash_differs');
  found.bytes = bytes;
  found.sha256 = sha256;
}

async function* decrypted(source: AsyncIterable<Uint8Array>, by: OpenedBy): AsyncGenerator<Uint8Array> {
  const { iv, cipherKey, macKey } = keysOf(by);
  const decipher = createDecipheriv('aes-256-cbc', cipherKey, iv);
  const hmac = createHmac('sha256', macKey).update(iv);
  // The last bytes are the code, and nobody knows which are the last before the source has ended.
  let held: Buffer = Buffer.alloc(0);
  let sealedBytes = 0;
  for await (const chunk of source) {
    const all = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    const ready = Math.max(0, all.length - MAC_BYTES);
    held = Buffer.from(all.subarray(ready));
    if (ready === 0) continue;
    const sealed = all.subarray(0, ready);
    sealedBytes += sealed.length;
    hmac.update(sealed);
    yield decipher.update(sealed);
  }
  if (held.length < MAC_BYTES || sealedBytes === 0) throw new FileFaultError('too_short');
  if (!timingSafeEqual(hmac.digest().subarray(0, MAC_BYTES), held)) throw new FileFaultError('mac_differs');
  if (sealedBytes % BLOCK_BYTES !== 0) throw new FileFaultError('too_short');
  try {
    yield decipher.final();
  } catch {
    // The sender had the key, and filled the last block in a way of its own.
    throw new FileFaultError('mac_differs');
  }
}

/** The keys of a file, from the one in its message. Throws {@link FileFaultError} for one that is none. */
export function keysOf({ key = '', use = 'document' }: OpenedBy) {
  const given = Buffer.from(key, 'base64');
  if (given.length !== KEY_BYTES) throw new FileFaultError('key_unusable');
  const derived = Buffer.from(hkdfSync('sha256', given, Buffer.alloc(0), WORDS[use], 112));
  return { iv: derived.subarray(0, 16), cipherKey: derived.subarray(16, 48), macKey: derived.subarray(48, 80) };
}
