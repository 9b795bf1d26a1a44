import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FileFaultError, openFile, type FileFault, type OpenedBy } from '../../../shared/media/sealedFile.ts';
import { inChunks, seal } from './sealed.ts';

const PLAIN = Buffer.from('What people send each other all day long: 🐕 and more. '.repeat(20));
const IMAGE = 'WhatsApp Image Keys';
const { sealed, key, sha256 } = seal(PLAIN, IMAGE);
const BY: OpenedBy = { use: 'image', key, sha256 };

async function open(source: AsyncIterable<Uint8Array>, by: OpenedBy = BY, mostBytes = 1_000_000) {
  const found = { bytes: 0, sha256: '' };
  const chunks: Uint8Array[] = [];
  for await (const chunk of openFile(source, by, mostBytes, found)) chunks.push(chunk);
  return { plain: Buffer.concat(chunks), found };
}
const faultOf = (
  source: AsyncIterable<Uint8Array>,
  by?: OpenedBy,
  mostBytes?: number,
): Promise<FileFault | undefined> =>
  open(source, by, mostBytes).then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof FileFaultError) return error.fault;
      throw error;
    },
  );

describe('a sealed file', () => {
  it('is opened in whatever chunks it comes, and found to be what it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 1, max: 64 }), async (plain, length) => {
        const one = seal(plain, 'WhatsApp Audio Keys');
        const opened = await open(inChunks(one.sealed, length), { use: 'audio', key: one.key, sha256: one.sha256 });

        expect(opened.plain).toEqual(Buffer.from(plain));
        expect(opened.found).toEqual({ bytes: plain.length, sha256: one.sha256 });
      }),
      { numRuns: 100 },
    );
  });

  it.each([
    ['image', IMAGE],
    ['video', 'WhatsApp Video Keys'],
    ['audio', 'WhatsApp Audio Keys'],
    ['document', 'WhatsApp Document Keys'],
    ['sticker', IMAGE],
  ] as const)('has keys of its own by what it is: %s', async (use, words) => {
    const one = seal(PLAIN, words);

    expect((await open(inChunks(one.sealed, 100), { use, key: one.key, sha256: one.sha256 })).plain).toEqual(PLAIN);
  });

  it('of a channel is not sealed, and its hash is checked all the same', async () => {
    expect((await open(inChunks(PLAIN, 100), { sha256, plain: true })).plain).toEqual(PLAIN);
    expect(await faultOf(inChunks(PLAIN.subarray(1), 100), { sha256, plain: true })).toBe('hash_differs');
  });

  it('without a key is not taken as it lies there, except in a channel', async () => {
    expect(await faultOf(inChunks(PLAIN, 100), { sha256 })).toBe('key_unusable');
  });

  it('without a hash is what it is found to be', async () => {
    expect((await open(inChunks(sealed, 100), { use: 'image', key })).found.sha256).toBe(sha256);
  });

  it.each<[why: string, bytes: Buffer, by: OpenedBy, fault: FileFault]>([
    ['one bit of it was changed', flipped(sealed, 40), BY, 'mac_differs'],
    ['one bit of its code was changed', flipped(sealed, sealed.length - 1), BY, 'mac_differs'],
    ['its end is missing', sealed.subarray(0, -16), BY, 'mac_differs'],
    ['there is nothing of it', Buffer.alloc(0), BY, 'too_short'],
    ['there is its code alone', sealed.subarray(-10), BY, 'too_short'],
    [
      'it is another file than the message describes',
      sealed,
      { ...BY, sha256: seal(Buffer.from('x'), IMAGE).sha256 },
      'hash_differs',
    ],
    ['it was sealed for another use', sealed, { ...BY, use: 'video' }, 'mac_differs'],
    ['the key is too short', sealed, { ...BY, key: 'AAAA' }, 'key_unusable'],
    ['the key is no base64', sealed, { ...BY, key: '🔑'.repeat(40) }, 'key_unusable'],
  ])('is refused where %s', async (_why, bytes, by, fault) => {
    expect(await faultOf(inChunks(bytes, 100), by)).toBe(fault);
  });

  it('is refused as soon as it is too large, whatever is still to come', async () => {
    let given = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        given += 1;
        yield Buffer.alloc(1_000);
      }
    }

    expect(await faultOf(endless(), { sha256, plain: true }, 10_000)).toBe('too_large');
    expect(given).toBeLessThan(20);
  });

  it('that breaks off fails as its source does', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield sealed.subarray(0, 100);
      throw new Error('the host broke off');
    }

    await expect(open(broken())).rejects.toThrow('the host broke off');
  });
});

function flipped(bytes: Buffer, place: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[place] = (copy[place] ?? 0) ^ 1;
  return copy;
}
