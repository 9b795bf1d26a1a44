import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { getMediaKeys, type proto } from '@whiskeysockets/baileys';
import type { MediaDescription } from './content.ts';
import type { MediaKind } from './mediaKind.ts';

const MAXIMUM_BYTES = 64 * 1024 * 1024;
/** Upload path; the last part is the sha256 of the sealed blob, base64url. */
const UPLOAD = /^\/mms\/([a-z-]+)\/([\w%=-]+)$/;
const DOWNLOAD = /^\/v\/([a-z-]+)\/([\w-]+)$/;
const MAC_BYTES = 10;

/** Sealed blobs by name: in a folder if there is one, otherwise in memory. */
export class MediaStore {
  readonly #folder: string | undefined;
  readonly #blobs = new Map<string, Buffer>();

  constructor(folder: string | undefined) {
    this.#folder = folder;
    if (folder !== undefined) mkdirSync(folder, { recursive: true });
  }

  /** Keeps a blob. Returns the direct path under which it can be fetched. */
  put(type: string, sealed: Buffer): string {
    const name = nameOf(sealed);
    if (this.#folder === undefined) this.#blobs.set(name, sealed);
    else {
      const file = join(this.#folder, name);
      writeFileSync(`${file}.new`, sealed, { mode: 0o600 });
      renameSync(`${file}.new`, file);
    }
    return `/v/${type}/${name}`;
  }

  /** The blob of a direct path; undefined if there is none. */
  get(directPath: string): Buffer | undefined {
    const name = DOWNLOAD.exec(directPath)?.[2];
    if (name === undefined) return undefined;
    if (this.#folder === undefined) return this.#blobs.get(name);
    try {
      return readFileSync(join(this.#folder, name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }
}

/** Takes uploads and serves downloads, over plain HTTP on loopback. */
export function makeMediaHandler(store: MediaStore) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    void answer(store, request)
      .then(({ status, body, type }) => response.writeHead(status, { 'content-type': type }).end(body))
      .catch(() => response.destroy());
  };
}

interface Answer {
  readonly status: number;
  readonly body: Buffer | string;
  readonly type: string;
}

async function answer(store: MediaStore, request: IncomingMessage): Promise<Answer> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const upload = request.method === 'POST' ? UPLOAD.exec(pathname) : null;
  if (upload !== null) {
    const [, type = '', name = ''] = upload;
    if (!searchParams.has('auth')) return refusal(401, 'The upload carries no auth of a media_conn answer.');
    const sealed = await readBody(request, MAXIMUM_BYTES);
    if (sealed === undefined) return refusal(413, 'The upload is larger than 64 MB.');
    if (decodeURIComponent(name).replaceAll('=', '') !== nameOf(sealed)) {
      return refusal(400, 'The upload does not have the hash in its path.');
    }
    const directPath = store.put(type, sealed);
    const body = JSON.stringify({ url: `https://${request.headers.host}${directPath}`, direct_path: directPath });
    return { status: 200, body, type: 'application/json' };
  }
  const blob = request.method === 'GET' ? store.get(pathname) : undefined;
  return blob === undefined
    ? refusal(404, 'There is no such blob.')
    : { status: 200, body: blob, type: 'application/octet-stream' };
}

function refusal(status: number, error: string): Answer {
  return { status, body: JSON.stringify({ error }), type: 'application/json' };
}

/** Reads a request to its end; undefined if it is longer than allowed. */
export async function readBody(request: IncomingMessage, maximumBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= maximumBytes) chunks.push(chunk);
  }
  return size > maximumBytes ? undefined : Buffer.concat(chunks);
}

/** What a message must say of a blob so that its readers find and open it. */
export type MediaFields = Required<
  Pick<
    proto.Message.IImageMessage,
    'url' | 'directPath' | 'mediaKey' | 'fileEncSha256' | 'fileSha256' | 'fileLength' | 'mediaKeyTimestamp'
  >
>;

/** Seals content as a phone does and keeps it in the store. @param host where clients can fetch it */
export async function sealMedia(
  store: MediaStore,
  host: string,
  kind: MediaKind,
  content: Uint8Array,
): Promise<MediaFields> {
  const mediaKey = randomBytes(32);
  const { iv, cipherKey, macKey } = await getMediaKeys(mediaKey, kind);
  const cipher = createCipheriv('aes-256-cbc', cipherKey, iv);
  const sealed = Buffer.concat([cipher.update(content), cipher.final()]);
  const mac = macOf(sealed, iv, macKey);
  const blob = Buffer.concat([sealed, mac]);
  const directPath = store.put(kind, blob);
  return {
    url: `https://${host}${directPath}`,
    directPath,
    mediaKey,
    fileEncSha256: sha256(blob),
    fileSha256: sha256(content),
    fileLength: content.length,
    mediaKeyTimestamp: Math.floor(Date.now() / 1_000),
  };
}

/** Opens what a message names. Throws when it is not there, or not authentic. */
export async function openMedia(store: MediaStore, kind: MediaKind, media: MediaDescription): Promise<Buffer> {
  const blob = store.get(media.directPath);
  if (blob === undefined) throw new Error('it is not on the server');
  const { iv, cipherKey, macKey } = await getMediaKeys(Buffer.from(media.mediaKey, 'base64'), kind);
  const [sealed, mac] = [blob.subarray(0, -MAC_BYTES), blob.subarray(-MAC_BYTES)];
  if (!macOf(sealed, iv, macKey).equals(mac)) throw new Error('it is not authentic');
  const decipher = createDecipheriv('aes-256-cbc', cipherKey, iv);
  const content = Buffer.concat([decipher.update(sealed), decipher.final()]);
  if (sha256(content).toString('hex') !== media.sha256) throw new Error('it has another hash than the message says');
  return content;
}

function macOf(sealed: Uint8Array, iv: Uint8Array, macKey: Uint8Array | null | undefined): Buffer {
  return createHmac('sha256', macKey ?? Buffer.alloc(0))
    .update(iv)
    .update(sealed)
    .digest()
    .subarray(0, MAC_BYTES);
}

function nameOf(sealed: Uint8Array): string {
  return sha256(sealed).toString('base64url');
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
