import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PART_BYTES, type ObjectStore } from '../../../shared/media/objectStore.ts';
import { S3ObjectStore } from '../../../shared/media/s3ObjectStore.ts';
import { makeObjectClient } from '../../../shared/platform/objectClient.ts';
import { startObjects, type ObjectEmulator } from '../../emulators/objects.ts';
import { aStoreConfig } from '../../emulators/storeConfig.ts';
import { MemoryObjects } from './memoryObjects.ts';

const about = { contentType: 'image/jpeg' };
const never = new AbortController().signal;

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  // One buffer for all of them, as a socket may do it.
  const piece = Buffer.alloc(size);
  for (let from = 0; from < bytes.length; from += size) {
    const length = bytes.copy(piece, 0, from, from + size);
    yield piece.subarray(0, length);
  }
}

async function* thenThrows(bytes: Buffer, error: Error): AsyncGenerator<Buffer> {
  yield* pieces(bytes, 65_536);
  throw error;
}

/** Gives bytes, and then nothing more. Tells whether it was told to end. */
function thenHangs(bytes: Buffer) {
  const state = { isEnded: false, hangs: Promise.withResolvers<void>() };
  let isGiven = false;
  const source: AsyncIterable<Buffer> = {
    [Symbol.asyncIterator]: () => ({
      next: () => {
        if (isGiven) {
          state.hangs.resolve();
          return new Promise(() => undefined);
        }
        isGiven = true;
        return Promise.resolve({ done: false, value: bytes });
      },
      return: () => {
        state.isEnded = true;
        return new Promise(() => undefined);
      },
    }),
  };
  return { source, state };
}

let emulator: ObjectEmulator;
let s3: ObjectStore;
beforeAll(async () => {
  emulator = await startObjects();
  const config = { ...aStoreConfig({}), ...emulator.config };
  s3 = new S3ObjectStore(makeObjectClient(config), emulator.config.mediaBucket);
});
afterAll(() => emulator.stop());

const uploads = (): Promise<readonly string[]> => readdir(join(emulator.folder, 'uploads'));
const data = (): Promise<readonly string[]> => readdir(join(emulator.folder, 'data'));

describe.each<[string, () => ObjectStore]>([
  ['in memory', () => new MemoryObjects()],
  ['in S3', () => s3],
])('objects %s', (name, make) => {
  const store = (): ObjectStore => made ?? (made = make());
  let made: ObjectStore | undefined;
  const keyOf = (text: string): string => `tenant/${name.replaceAll(' ', '-')}/${text}`;
  const contentOf = async (key: string): Promise<Buffer | undefined> => {
    const stream = await store().read(key);
    return stream === undefined ? undefined : buffer(stream);
  };

  it.each([
    ['none', 0, 1],
    ['one', 1, 1],
    ['as many as a part', PART_BYTES, 70_001],
    ['several parts in one chunk', 2 * PART_BYTES + 77, 2 * PART_BYTES + 77],
  ])('hold the bytes that a source gives: %s', async (_name, size, chunk) => {
    const bytes = randomBytes(size);
    const key = keyOf(`size-${size}`);
    const before = Date.now();

    await store().write(key, pieces(bytes, chunk), about, never);

    const found = await store().head(key);
    expect(found?.bytes).toBe(size);
    // S3 tells whole seconds.
    expect(found?.storedAtMs).toBeGreaterThan(before - 1_000);
    expect(found?.storedAtMs).toBeLessThanOrEqual(Date.now());
    expect((await contentOf(key))?.equals(bytes)).toBe(true);
  });

  it('are whole or not there when the source throws, be it early or late, and leave nothing behind', async () => {
    for (const [place, size] of [100, PART_BYTES + 9].entries()) {
      const broken = new Error('the file is not what it says');

      const written = store().write(keyOf(`broken-${place}`), thenThrows(Buffer.alloc(size), broken), about, never);

      await expect(written).rejects.toBe(broken);
      expect(await store().head(keyOf(`broken-${place}`))).toBeUndefined();
      expect(await store().read(keyOf(`broken-${place}`))).toBeUndefined();
    }
    expect(await uploads()).toEqual([]);
  });

  it('keep what was there when the source of another one throws', async () => {
    const first = Buffer.from('first');
    await store().write(keyOf('kept'), pieces(first, 5), about, never);

    await store()
      .write(keyOf('kept'), thenThrows(Buffer.alloc(PART_BYTES + 1), new Error('no')), about, never)
      .catch(() => undefined);

    expect(await contentOf(keyOf('kept'))).toEqual(first);
  });

  it.each([
    ['short', 10],
    ['long', PART_BYTES + 10],
  ])('end with their signal while a source hangs, also one that does not end: %s', async (length, size) => {
    const { source, state } = thenHangs(Buffer.alloc(size));
    const stop = new AbortController();
    const reason = new Error('no time is left');

    const written = store().write(keyOf(`hangs-${length}`), source, about, stop.signal);
    await state.hangs.promise;
    stop.abort(reason);

    await expect(written).rejects.toBe(reason);
    expect(state.isEnded).toBe(true);
    expect(await store().head(keyOf(`hangs-${length}`))).toBeUndefined();
    expect(await uploads()).toEqual([]);
  });

  it('are replaced as a whole, and nothing is left of the one before', async () => {
    const before = (await data()).length;
    const second = randomBytes(10);
    await store().write(keyOf('replaced'), pieces(Buffer.alloc(PART_BYTES + 5), 65_536), about, never);

    await store().write(keyOf('replaced'), pieces(second, 5), about, never);

    expect(await contentOf(keyOf('replaced'))).toEqual(second);
    expect((await data()).length - before).toBe(name === 'in S3' ? 1 : 0);
  });

  it('are given whole to a reader who began before they were replaced or removed', async () => {
    const key = keyOf('meanwhile');
    const bytes = randomBytes(2 * PART_BYTES + 7);
    await store().write(key, pieces(bytes, 65_536), about, never);

    const first = await store().read(key);
    await store().write(key, pieces(randomBytes(5), 5), about, never);
    await store().remove(key);

    expect((await buffer(first as Readable)).equals(bytes)).toBe(true);
    expect(await store().read(key)).toBeUndefined();
  });

  it('give parts of themselves, also across the places where they were written', async () => {
    const bytes = randomBytes(PART_BYTES + 100);
    const key = keyOf('ranges');
    await store().write(key, pieces(bytes, 65_536), about, never);
    const rangeOf = async (from: number, to?: number): Promise<Buffer | undefined> => {
      const stream = await store().read(key, to === undefined ? { from } : { from, to });
      return stream && buffer(stream);
    };

    expect(await rangeOf(0, 0)).toEqual(bytes.subarray(0, 1));
    expect(await rangeOf(PART_BYTES - 2, PART_BYTES + 1)).toEqual(bytes.subarray(PART_BYTES - 2, PART_BYTES + 2));
    expect(await rangeOf(bytes.length - 7)).toEqual(bytes.subarray(-7));
    expect((await rangeOf(5, 10 ** 12))?.length).toBe(bytes.length - 5);
    await expect(rangeOf(bytes.length)).rejects.toThrow(RangeError);
    await expect(rangeOf(-1)).rejects.toThrow(RangeError);
    await expect(rangeOf(5, 4)).rejects.toThrow(RangeError);
  });

  it('are removed, as often as one likes', async () => {
    await store().write(keyOf('removed'), pieces(Buffer.from('x'), 1), about, never);

    await store().remove(keyOf('removed'));
    await store().remove(keyOf('removed'));

    expect(await store().head(keyOf('removed'))).toBeUndefined();
    expect(await store().read(keyOf('removed'))).toBeUndefined();
  });

  it('have keys of our own making only', async () => {
    for (const key of ['', '/', 'a//b', '../a', 'a/../b', 'a b', 'ä', 'a/', '.a', `a${'b'.repeat(512)}`, 'a\n']) {
      await expect(Promise.try(() => store().head(key))).rejects.toThrow(RangeError);
      await expect(store().write(key, pieces(Buffer.alloc(1), 1), about, never)).rejects.toThrow(RangeError);
    }
  });
});
