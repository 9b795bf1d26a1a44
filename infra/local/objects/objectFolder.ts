import { createHash, randomUUID } from 'node:crypto';
import {
  createReadStream,
  createWriteStream,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  type ReadStream,
} from 'node:fs';
import { copyFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import { makeFolder, replaceFile } from '../folders.ts';

/**
 * Objects in a folder. The bytes of an object are one file or, if it was written in parts, several, in a folder of their
 * own; a small file with a name made from the key says which. An object is there when that file is, which takes the place
 * of an earlier one at once: whatever is killed in the middle, a reader finds the old object or the new one, whole. Bytes
 * that nothing names any more are removed at once, and what a killed process left of an upload after a day, as the
 * lifecycle of the bucket does it on AWS.
 *
 * Nothing waits for the disk, here as in the journal of the queues: what is written is in the hands of the system, which keeps it whatever
 * becomes of a process. A disk that has to have a large file at once makes all others wait that write a little, such as the tables. A machine
 * that loses power may lose the files of its last half minute.
 */
export interface ObjectNote {
  readonly key: string;
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly bytes: number;
  readonly storedAtMs: number;
  readonly etag: string;
  /** The folder of the bytes, and the files in it in their order. */
  readonly folder: string;
  readonly parts: readonly StoredPart[];
}

/** One file with bytes. */
export interface StoredPart {
  readonly name: string;
  readonly bytes: number;
}

/** What is to be stored, besides the bytes. */
export type ObjectHead = Pick<ObjectNote, 'key' | 'contentType' | 'metadata'>;

export interface WrittenPart extends StoredPart {
  /** CRC-32 of the bytes, as S3 writes it: four bytes in base64. */
  readonly checksum: string;
}

const DAY_MS = 86_400_000;
const NOTE = 'upload.json';

export class ObjectFolder {
  readonly #notes: string;
  readonly #data: string;
  readonly #uploads: string;
  readonly #keptDaysOf: (key: string) => number;

  /** @param keptDaysOf after how many days an object is removed, by its key */
  constructor(path: string, keptDaysOf: (key: string) => number) {
    [this.#notes, this.#data, this.#uploads] = [join(path, 'notes'), join(path, 'data'), join(path, 'uploads')];
    this.#keptDaysOf = keptDaysOf;
    for (const folder of [this.#notes, this.#data, this.#uploads]) makeFolder(folder);
  }

  find(key: string): ObjectNote | undefined {
    return read(this.#noteOf(key));
  }

  /**
   * The bytes from one on to another one that belongs to it, as streams to be read one after the other and destroyed in the end. All files are opened
   * at once, so that the reader of an object that is replaced or removed meanwhile gets that object, whole, as S3 does it.
   */
  bytesOf({ folder, parts }: ObjectNote, from: number, to: number): readonly ReadStream[] {
    const streams: ReadStream[] = [];
    let begin = 0;
    for (const { name, bytes } of parts) {
      const [start, end] = [Math.max(0, from - begin), Math.min(bytes - 1, to - begin)];
      begin += bytes;
      if (start > end) continue;
      const fd = openSync(join(this.#data, folder, name), 'r');
      streams.push(createReadStream('', { fd, start, end }));
    }
    return streams;
  }

  /** Begins an upload: bytes that nobody sees. @returns its id */
  begin(head: ObjectHead): string {
    const id = randomUUID();
    makeFolder(join(this.#uploads, id));
    replaceFile(join(this.#uploads, id, NOTE), JSON.stringify(head));
    return id;
  }

  /** The head of an upload that is under way; undefined when there is none. */
  headOf(uploadId: string): ObjectHead | undefined {
    return /^[\w-]{36}$/.test(uploadId) ? read(join(this.#uploads, uploadId, NOTE)) : undefined;
  }

  /** Stores bytes as a part of an upload. Its file has its name only when it is whole. */
  async addPart(uploadId: string, name: string, bytes: AsyncIterable<Buffer>): Promise<WrittenPart> {
    const file = join(this.#uploads, uploadId, name);
    const written = `${file}.${randomUUID()}`;
    let [length, sum] = [0, 0];
    const count = async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
      for await (const chunk of chunks) {
        length += chunk.length;
        sum = crc32(chunk, sum);
        yield chunk;
      }
    };
    try {
      await pipeline(bytes, count, createWriteStream(written, { mode: 0o600 }));
      await rename(written, file);
    } catch (error) {
      await rm(written, { force: true });
      throw error;
    }
    const checksum = Buffer.alloc(4);
    checksum.writeUInt32BE(sum);
    return { name, bytes: length, checksum: checksum.toString('base64') };
  }

  /** The size of a part of an upload; undefined when there is none. */
  async sizeOf(uploadId: string, name: string): Promise<number | undefined> {
    return stat(join(this.#uploads, uploadId, name)).then(
      ({ size }) => size,
      () => undefined,
    );
  }

  /** The parts of an upload that are whole, by their numbers. */
  async partsOf(uploadId: string): Promise<readonly StoredPart[]> {
    const names = (await readdir(join(this.#uploads, uploadId))).filter((name) => /^\d+$/.test(name));
    const sized = names.map(async (name) => ({ name, bytes: (await this.sizeOf(uploadId, name)) ?? 0 }));
    return (await Promise.all(sized)).toSorted((one, other) => Number(one.name) - Number(other.name));
  }

  /** Makes an upload an object. All in one turn, so that of two that end at once one comes after the other. */
  complete(uploadId: string, parts: readonly StoredPart[], nowMs: number): ObjectNote {
    const head = this.headOf(uploadId);
    if (head === undefined) throw new Error('there is no such upload');
    renameSync(join(this.#uploads, uploadId), join(this.#data, uploadId));
    const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
    const note: ObjectNote = { ...head, bytes, storedAtMs: nowMs, etag: `"${uploadId}"`, folder: uploadId, parts };
    const file = this.#noteOf(head.key);
    const before = read(file);
    makeFolder(join(file, '..'));
    replaceFile(file, JSON.stringify(note));
    if (before !== undefined) this.#removeBytes(before);
    return note;
  }

  /** Makes an object of the bytes of another one. @returns what it is then; undefined when there is no such object */
  async copy(from: string, to: string, nowMs: number): Promise<ObjectNote | undefined> {
    const source = this.find(from);
    if (source === undefined) return undefined;
    const { contentType, metadata, folder, parts } = source;
    const id = this.begin({ key: to, contentType, metadata });
    try {
      for (const { name } of parts) await copyFile(join(this.#data, folder, name), join(this.#uploads, id, name));
    } catch (error) {
      this.abort(id);
      // It was replaced or removed meanwhile: S3 would have copied what was there at first, or what came after it.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return this.copy(from, to, nowMs);
      throw error;
    }
    return this.complete(id, parts, nowMs);
  }

  abort(uploadId: string): void {
    rmSync(join(this.#uploads, uploadId), { recursive: true, force: true });
  }

  remove(key: string): void {
    const file = this.#noteOf(key);
    const note = read(file);
    rmSync(file, { force: true });
    if (note !== undefined) this.#removeBytes(note);
  }

  /** Removes what the lifecycle of the bucket would: objects that are old, and uploads that were left. */
  async sweep(nowMs: number): Promise<void> {
    for (const id of await readdir(this.#uploads)) {
      const found = await stat(join(this.#uploads, id)).catch(() => undefined);
      if (found !== undefined && found.mtimeMs < nowMs - DAY_MS) this.abort(id);
    }
    for (const name of await readdir(this.#notes, { recursive: true })) {
      if (!name.endsWith('.json')) continue;
      const note = read(join(this.#notes, name));
      if (note !== undefined && note.storedAtMs < nowMs - this.#keptDaysOf(note.key) * DAY_MS) this.remove(note.key);
    }
  }

  #removeBytes({ folder }: ObjectNote): void {
    rmSync(join(this.#data, folder), { recursive: true, force: true });
  }

  /** A key is never a path here: whatever is in it, the file lies in this folder. */
  #noteOf(key: string): string {
    const name = createHash('sha256').update(key).digest('hex');
    return join(this.#notes, name.slice(0, 2), `${name}.json`);
  }
}

/** What a file of ours says: that of an object all, that of an upload its head. */
function read(file: string): ObjectNote | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ObjectNote;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
