import { createHash, createHmac, randomBytes, randomInt, type Hash } from 'node:crypto';
import { createReadStream, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Changes } from '../changes.ts';
import { folderOf, isOfChannel } from './fileKinds.ts';

/** A file as the media hosts keep it. They cannot open what is sealed. */
export interface StoredFile {
  /** The name under which it lies there; the direct path has it. */
  readonly name: string;
  /** The name under which it was uploaded, such as `image`, `ptt`, `newsletter-video`; `picture` for those of profiles. */
  readonly type: string;
  /** Hash of what lies there, in hex: of the sealed bytes, where it is sealed. */
  readonly sha256: string;
  readonly bytes: number;
  /** The number of the account that uploaded it. */
  readonly by: string;
  /** What a message to a channel names beside the path. */
  readonly handle: string | undefined;
  /** Seconds since 1970: its link is good until then. */
  readonly endsAt: number;
  /** What is answered to those who ask for it, since it is no longer there. */
  readonly gone: 404 | 410 | undefined;
}

export type Found = { readonly file: StoredFile } | { readonly refused: 403 | 404 | 410 };

export interface Taking {
  readonly type: string;
  readonly by: string;
  /** The hash that it must have, in hex; any, without. */
  readonly sha256?: string;
  readonly maximumBytes: number;
  /** Goes on after the bytes that came before the upload broke off. */
  readonly from?: number;
}

export type Taken =
  { readonly file: StoredFile } | { readonly refused: 'too_large' | 'other_hash' | 'other_part' | 'empty' };

/** WhatsApp keeps a file for some weeks. */
const KEPT_SECONDS = 28 * 86_400;
/** Uploads that broke off and may go on; older ones are dropped. */
const MOST_PARTS = 100;

/**
 * The files that lie on the media hosts: bytes in a folder under their hash, records where changes are noted. Bytes are
 * written under another name first, so a process that dies leaves no half file; what it leaves is removed at the next start.
 * Two uploads of one hash at once write two files, and the later rename wins: the bytes are the same.
 */
export class FileStore {
  readonly #files = new Map<string, StoredFile>();
  readonly #parts = new Map<string, string>();
  readonly #changes: Changes;
  readonly #key: Uint8Array;
  readonly #kept: string | undefined;
  #folder: string | undefined;

  /** @param folder where files survive a restart; in a folder of its own, removed at the end, without
   * @param key signs links */
  constructor(folder: string | undefined, key: Uint8Array, changes: Changes, saved: readonly StoredFile[] = []) {
    this.#kept = folder;
    this.#key = key;
    this.#changes = changes;
    for (const file of saved) this.#files.set(file.name, file);
  }

  /** Takes bytes to their end. A file that is there already, from an upload of the same name, is given again. */
  async take(chunks: AsyncIterable<Uint8Array>, taking: Taking): Promise<Taken> {
    const { type, by, from = 0, maximumBytes } = taking;
    const partKey = `${type}/${taking.sha256}`;
    const part = this.#parts.get(partKey);
    const hash = createHash('sha256');
    const before = from > 0 && part !== undefined ? await hashFile(part, hash) : 0;
    if (before !== from) {
      for await (const _chunk of chunks);
      return { refused: 'other_part' };
    }
    this.#parts.delete(partKey);
    if (from === 0 && part !== undefined) await rm(part, { force: true });
    const goesOn = from > 0 && part !== undefined;
    const temporary = goesOn ? part : this.#temporary();
    const bytes = await this.#write(chunks, temporary, hash, before, maximumBytes).catch(async (error: unknown) => {
      await this.#keepPart(partKey, temporary);
      throw error;
    });
    const sha256 = hash.digest('hex');
    const refused = refusalOf(bytes, sha256, taking);
    if (refused !== undefined) {
      await rm(temporary, { force: true });
      return { refused };
    }
    await rename(temporary, join(this.#place(), sha256));
    return { file: this.#record(type, sha256, bytes, by) };
  }

  /** Keeps bytes that are in memory anyway, at once. */
  put(type: string, bytes: Uint8Array, by: string): StoredFile {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const temporary = this.#temporary();
    writeFileSync(temporary, bytes, { mode: 0o600 });
    renameSync(temporary, join(this.#place(), sha256));
    return this.#record(type, sha256, bytes.length, by);
  }

  /** Puts a file that is there to another place, as if it had been uploaded again: the same bytes, another link. */
  renew(file: StoredFile, by: string): StoredFile {
    return this.#record(file.type, file.sha256, file.bytes, by);
  }

  /** A file that is there and was uploaded under a name; undefined if there is none. */
  known(type: string, sha256: string): StoredFile | undefined {
    return [...this.#files.values()].findLast(
      (file) => file.type === type && file.sha256 === sha256 && this.#refusalOf(file) === undefined,
    );
  }

  /** How much of an upload came before it broke off. */
  async partOf(type: string, sha256: string): Promise<number> {
    const part = this.#parts.get(`${type}/${sha256}`);
    return part === undefined ? 0 : hashFile(part, createHash('sha256'));
  }

  /** Finds the file of a direct path, as far as its link is genuine and still good. */
  find(directPath: string): Found {
    const { pathname, searchParams } = new URL(directPath, 'http://localhost');
    const file = this.#files.get(/\/([\w-]+)\.(?:enc|jpg|bin)$/.exec(pathname)?.[1] ?? '');
    if (file === undefined || pathname !== this.pathOf(file).split('?')[0]) return { refused: 404 };
    const genuine = new URL(this.pathOf(file), 'http://localhost').searchParams;
    if (searchParams.get('oh') !== genuine.get('oh') || searchParams.get('oe') !== genuine.get('oe')) {
      return { refused: 403 };
    }
    const refused = this.#refusalOf(file);
    return refused === undefined ? { file } : { refused };
  }

  /** Where a file is fetched: the path with the signature of the link, and when that ends. */
  pathOf({ name, type, endsAt }: StoredFile): string {
    const folder = isOfChannel(type)
      ? `/m1/v/t24/An/${name}.bin`
      : `/v/${folderOf(type)}/${name}.${type === 'picture' ? 'jpg' : 'enc'}`;
    const oe = endsAt.toString(16).toUpperCase();
    const oh = createHmac('sha256', this.#key).update(`${folder}?oe=${oe}`).digest('hex').slice(0, 32);
    return `${folder}?ccb=11-4&oh=01_${oh}&oe=${oe}&_nc_sid=5e03e0`;
  }

  /** The bytes of a file, or a part of them; both ends are of the part. */
  read(
    { sha256 }: StoredFile,
    part: { readonly start?: number; readonly end?: number } = {},
  ): AsyncIterable<Buffer> & {
    readonly destroy: () => void;
  } {
    return createReadStream(join(this.#place(), sha256), part);
  }

  /** WhatsApp has removed the files with these bytes. Returns how many places there were. */
  expire(sha256: string, gone: 404 | 410): number {
    const found = [...this.#files.values()].filter((file) => file.sha256 === sha256 && file.gone === undefined);
    for (const file of found) this.remove(file, gone);
    return found.length;
  }

  /** WhatsApp has removed a file from one place. */
  remove(file: StoredFile, gone: 404 | 410): void {
    this.#keep({ ...file, gone });
  }

  list(): readonly StoredFile[] {
    return [...this.#files.values()];
  }

  /** Removes what is not to be kept. */
  close(): void {
    if (this.#kept === undefined && this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }

  async #write(
    chunks: AsyncIterable<Uint8Array>,
    file: string,
    hash: Hash,
    before: number,
    maximumBytes: number,
  ): Promise<number> {
    const handle = await open(file, 'a', 0o600);
    let bytes = before;
    try {
      for await (const chunk of chunks) {
        bytes += chunk.length;
        if (bytes > maximumBytes) continue;
        hash.update(chunk);
        await handle.writeFile(chunk);
      }
    } finally {
      await handle.close();
    }
    return bytes;
  }

  async #keepPart(key: string, file: string): Promise<void> {
    const [oldest] = this.#parts.size >= MOST_PARTS ? this.#parts : [];
    const dropped = [this.#parts.get(key), oldest?.[1]];
    if (oldest !== undefined) this.#parts.delete(oldest[0]);
    this.#parts.set(key, file);
    for (const each of dropped) if (each !== undefined && each !== file) await rm(each, { force: true });
  }

  #record(type: string, sha256: string, bytes: number, by: string): StoredFile {
    const name = `${randomInt(1e9, 1e10)}_${randomInt(1e12, 1e13)}_${randomBytes(6).toString('hex')}_n`;
    const handle = isOfChannel(type) ? randomBytes(18).toString('base64url') : undefined;
    const endsAt = Math.floor(Date.now() / 1_000) + KEPT_SECONDS;
    return this.#keep({ name, type, sha256, bytes, by, handle, endsAt, gone: undefined });
  }

  #keep(file: StoredFile): StoredFile {
    this.#files.set(file.name, file);
    this.#changes.note(`file/${file.name}`, () => this.#files.get(file.name));
    return file;
  }

  #refusalOf({ gone, endsAt }: StoredFile): 403 | 404 | 410 | undefined {
    return gone ?? (endsAt < Date.now() / 1_000 ? 403 : undefined);
  }

  #temporary(): string {
    return join(this.#place(), `new-${randomBytes(8).toString('hex')}`);
  }

  #place(): string {
    if (this.#folder !== undefined) return this.#folder;
    this.#folder = this.#kept ?? mkdtempSync(join(tmpdir(), 'whatsapp-media-'));
    mkdirSync(this.#folder, { recursive: true });
    for (const name of readdirSync(this.#folder)) {
      if (name.startsWith('new-')) rmSync(join(this.#folder, name), { force: true });
    }
    return this.#folder;
  }
}

function refusalOf(bytes: number, sha256: string, taking: Taking): 'too_large' | 'other_hash' | 'empty' | undefined {
  if (bytes > taking.maximumBytes) return 'too_large';
  if (bytes === 0) return 'empty';
  return taking.sha256 !== undefined && taking.sha256 !== sha256 ? 'other_hash' : undefined;
}

/** Reads a file into a hash. Returns its length. */
async function hashFile(file: string, hash: Hash): Promise<number> {
  let bytes = 0;
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return bytes;
}
