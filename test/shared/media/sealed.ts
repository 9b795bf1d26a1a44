import { createCipheriv, createHash, createHmac, hkdfSync } from 'node:crypto';

/** A file as a sender seals it, with what the message says of it. Written apart from what opens it. */
export function seal(plain: Uint8Array, words: string, key: Buffer = Buffer.alloc(32, 7)) {
  const derived = Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), words, 112));
  const [iv, cipherKey, macKey] = [derived.subarray(0, 16), derived.subarray(16, 48), derived.subarray(48, 80)];
  const cipher = createCipheriv('aes-256-cbc', cipherKey, iv);
  const ciphertext = Buffer.concat([cipher.update(plain), cipher.final()]);
  const code = createHmac('sha256', macKey).update(iv).update(ciphertext).digest().subarray(0, 10);
  return {
    sealed: Buffer.concat([ciphertext, code]),
    key: key.toString('base64'),
    sha256: createHash('sha256').update(plain).digest('base64'),
  };
}

/** Bytes in chunks of a length, as a host may send them. */
export async function* inChunks(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += length) yield bytes.subarray(from, from + length);
}
