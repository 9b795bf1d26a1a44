import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openFile } from '../../../shared/media/sealedFile.ts';
import { sealFile, sealUses, type SealFound } from '../../../shared/media/sealFile.ts';
import { keysOf, Opening, sealedBytesOf } from '../../whatsapp/media/sealing.ts';

const KEY = Buffer.alloc(32, 7);

async function* inPieces(bytes: Uint8Array, piece: number): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += piece) yield bytes.subarray(from, from + piece);
}

async function seal(bytes: Uint8Array, piece: number, use: 'image' | 'video' = 'video') {
  let found: SealFound | undefined;
  const chunks: Uint8Array[] = [];
  const sealing = sealFile(inPieces(bytes, piece), { key: KEY.toString('base64'), use }, (all) => {
    found = all;
  });
  for await (const chunk of sealing) chunks.push(Uint8Array.from(chunk));
  if (found === undefined) throw new Error('nothing was found');
  return { sealed: Buffer.concat(chunks), found };
}

/** What a phone of the simulator, whose cryptography is its own, finds in a sealed file. */
async function openedByPhone(sealed: Uint8Array) {
  const opening = new Opening(inPieces(sealed, 10_000), keysOf(KEY, 'video'));
  const chunks: Uint8Array[] = [];
  for await (const chunk of opening.chunks()) chunks.push(Uint8Array.from(chunk));
  return { plain: Buffer.concat(chunks), opened: opening.opened };
}

describe('a file that is sealed', () => {
  it('is opened by a phone, whatever its length and however it comes: it is whole, and so is what players check it with', async () => {
    const aroundParts = [65_536 - 26, 65_536 - 10, 65_536, 65_536 + 6, 131_072 - 16, 131_072 + 1];
    const lengths = fc.oneof(fc.integer({ min: 0, max: 200_000 }), fc.constantFrom(0, 1, 15, 16, 17, ...aroundParts));
    await fc.assert(
      fc.asyncProperty(lengths, fc.integer({ min: 1_000, max: 70_000 }), async (length, piece) => {
        const bytes = Buffer.alloc(length, 'a picture of a dog ');

        const { sealed, found } = await seal(bytes, piece);
        const { plain, opened } = await openedByPhone(sealed);

        expect(opened).toMatchObject({ isAuthentic: true, isPadded: true, bytes: length });
        expect(plain.equals(bytes)).toBe(true);
        expect(found).toEqual({
          sealedSha256: opened.sealedSha256.toString('base64'),
          sealedBytes: sealedBytesOf(length),
          sidecar: opened.sidecar.toString('base64'),
        });
      }),
      { numRuns: 40 },
    );
  });

  it('is the same each time, and comes out of our own hands as it went in', async () => {
    const bytes = Buffer.from('the same bytes '.repeat(9_000));
    const [first, second] = [await seal(bytes, 1_000), await seal(bytes, 64_000)];
    const chunks: Uint8Array[] = [];

    const found = { bytes: 0, sha256: '' };
    const opened = openFile(inPieces(first.sealed, 500), { use: 'video', key: KEY.toString('base64') }, 1e9, found);
    for await (const chunk of opened) chunks.push(Uint8Array.from(chunk));

    expect(first.sealed.equals(second.sealed)).toBe(true);
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
  });

  it('of many megabytes has no room for what players check it with', async () => {
    const { found } = await seal(Buffer.alloc(120_000_000), 8_000_000);

    expect(found.sidecar).toBeUndefined();
  });

  it('is sealed by the keys of what WhatsApp takes it for', () => {
    expect(sealUses).toMatchObject({ sticker: 'image', voice: 'audio', gif: 'video', video_note: 'video' });
  });
});
