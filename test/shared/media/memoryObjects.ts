import { Readable } from 'node:stream';
import {
  checkObjectKey,
  toRangeHeader,
  type ByteRange,
  type ObjectAddresses,
  type ObjectFound,
  type ObjectStore,
  type OfferedObject,
} from '../../../shared/media/objectStore.ts';
import { toOfferedFile } from '../../../shared/media/offeredFile.ts';

interface Kept {
  readonly bytes: Buffer;
  readonly contentType: string;
  readonly storedAtMs: number;
}

/** Objects in memory, for tests of what uses them. `objectStore.test.ts` holds it to the contract of the real one. */
export class MemoryObjects implements ObjectStore, ObjectAddresses {
  /** What is there, by key. */
  readonly kept = new Map<string, Kept>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number = Date.now) {
    this.#nowMs = nowMs;
  }

  async write(
    key: string,
    source: AsyncIterable<Uint8Array>,
    about: { readonly contentType: string },
    signal: AbortSignal,
  ): Promise<void> {
    checkObjectKey(key);
    signal.throwIfAborted();
    const iterator = source[Symbol.asyncIterator]();
    const aborted = Promise.withResolvers<never>();
    const onAbort = (): void => aborted.reject(signal.reason);
    signal.addEventListener('abort', onAbort);
    const chunks: Uint8Array[] = [];
    try {
      for (;;) {
        const { done, value } = await Promise.race([iterator.next(), aborted.promise]);
        if (done === true) break;
        // A source may use its buffer again.
        chunks.push(Uint8Array.from(value));
      }
    } catch (error) {
      void Promise.try(() => iterator.return?.()).catch(() => undefined);
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
    this.kept.set(key, { bytes: Buffer.concat(chunks), contentType: about.contentType, storedAtMs: this.#nowMs() });
  }

  head(key: string): Promise<ObjectFound | undefined> {
    checkObjectKey(key);
    const found = this.kept.get(key);
    return Promise.resolve(found && { bytes: found.bytes.length, storedAtMs: found.storedAtMs });
  }

  read(key: string, range?: ByteRange): Promise<Readable | undefined> {
    return Promise.try(() => {
      checkObjectKey(key);
      if (range !== undefined) toRangeHeader(range);
      const found = this.kept.get(key);
      if (found === undefined) return undefined;
      const { from, to } = { from: 0, ...range };
      if (range !== undefined && from >= found.bytes.length) throw new RangeError('the object ends before the range');
      return Readable.from([found.bytes.subarray(from, to === undefined ? undefined : to + 1)], { objectMode: false });
    });
  }

  remove(key: string): Promise<void> {
    checkObjectKey(key);
    this.kept.delete(key);
    return Promise.resolve();
  }

  addressOf(key: string, how: OfferedObject): Promise<string> {
    checkObjectKey(key);
    const { type, disposition } = toOfferedFile(how);
    const query = new URLSearchParams({ type, disposition, ends: String(how.endsAfterSeconds) });
    return Promise.resolve(`https://objects.test/${key}?${query.toString()}`);
  }
}
