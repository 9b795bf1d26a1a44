import type { Readable } from 'node:stream';

/** What is known of an object that is there. */
export interface ObjectFound {
  readonly bytes: number;
  readonly storedAtMs: number;
}

/** A part of an object: from a byte on, to another one that belongs to it; to the end when left out. */
export interface ByteRange {
  readonly from: number;
  readonly to?: number;
}

/**
 * The place of files: a flat room of objects under keys, each whole or not there. A key is a name of ours
 * ({@link checkObjectKey}); nothing that somebody else wrote stands in one.
 */
export interface ObjectStore {
  /**
   * Stores what the source gives, in place of what is under the key. Nothing of it is seen before the source has ended
   * well. When the source throws, or the signal aborts, it rejects with that reason, what was stored of it is taken back,
   * and the source is told to end; an abort in the last moment may come too late, and the object is there. The caller
   * bounds the time of the source by the signal. Memory: two parts of {@link PART_BYTES}.
   */
  readonly write: (
    key: string,
    source: AsyncIterable<Uint8Array>,
    about: { readonly contentType: string },
    signal: AbortSignal,
  ) => Promise<void>;
  /** Looks whether there is an object; undefined when there is none. */
  readonly head: (key: string) => Promise<ObjectFound | undefined>;
  /**
   * Opens an object; undefined when there is none. The stream fails when the bytes stop coming, and gives no more of
   * them than the reader takes: it must be read to its end or destroyed. Throws a RangeError when the object ends before
   * the range begins.
   */
  readonly read: (key: string, range?: ByteRange) => Promise<Readable | undefined>;
  /** Removes an object. It is none of its business whether there was one. */
  readonly remove: (key: string) => Promise<void>;
}

/** How an object is offered to whoever has its address. */
export interface OfferedObject {
  /** A name that somebody else gave, in any script; it becomes one that is safe as the name of a file. */
  readonly filename?: string;
  /** What it is said to be. Only types that run nowhere are passed on (shared/media/offeredFile.ts). */
  readonly contentType: string;
  /** Whether a browser may show it, if it is a picture, a film or a sound; otherwise it saves it. */
  readonly shownInline: boolean;
  readonly endsAfterSeconds: number;
}

/** Addresses of objects, for whoever holds one. */
export interface ObjectAddresses {
  /** An address that needs no key, and ends after so many seconds. It says nothing of whether there is an object. */
  readonly addressOf: (key: string, how: OfferedObject) => Promise<string>;
}

/** The size of a part of a large object: the least that S3 takes, so that many can be written at once in little memory. */
export const PART_BYTES = 5 * 1_024 * 1_024;

/** The most parts of one object. Source: S3 User Guide, "Amazon S3 multipart upload limits". */
export const MOST_PARTS = 10_000;

const KEY = /^(?=.{1,512}$)[A-Za-z0-9_-][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;

/**
 * Throws a RangeError unless a key is made of letters, digits, `.`, `_` and `-`, in parts between slashes of which none
 * is empty or begins with a dot. So it needs no escape in an address and is no way out of a folder.
 */
export function checkObjectKey(key: string): void {
  if (!KEY.test(key)) throw new RangeError('this is no key of an object');
}

/** The header that asks for a range. Throws a RangeError when it is none. */
export function toRangeHeader({ from, to }: ByteRange): string {
  if (!Number.isSafeInteger(from) || from < 0) throw new RangeError('a range begins at a byte');
  if (to !== undefined && (!Number.isSafeInteger(to) || to < from))
    throw new RangeError('a range ends after it begins');
  return `bytes=${from}-${to ?? ''}`;
}
