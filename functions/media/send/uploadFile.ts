import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { ObjectStore } from '../../../shared/media/objectStore.ts';
import type { PreparedFile } from '../../../shared/media/preparedFile.ts';
import { sealFile, sealUses, type SealFound } from '../../../shared/media/sealFile.ts';
import type { SendJob } from '../../../shared/media/sendJob.ts';
import type { SealedFile, UploadedCover, UploadedFile } from '../../../shared/media/uploadedFile.ts';
import type { FileHosts, UploadAnswer } from './fileHosts.ts';

export interface UploadDependencies {
  readonly objects: Pick<ObjectStore, 'read'>;
  readonly hosts: Pick<FileHosts, 'upload'>;
  readonly clock: { readonly nowMs: () => number };
}

export type Uploaded =
  | { readonly uploaded: UploadedFile }
  /** The object is not there any more. */
  | { readonly uploaded: 'gone' }
  | { readonly uploaded: Exclude<UploadAnswer, { readonly answer: 'taken' }> };

/** The uses whose players fetch parts of a file before the whole. */
const streamed: ReadonlySet<string> = new Set(['video', 'gif', 'video_note', 'audio', 'voice']);

/**
 * Uploads a prepared file: as it is for channels, and sealed for everybody else. Rejects where the store of objects fails, and when the signal aborts.
 */
export function uploadFile(
  dependencies: UploadDependencies,
  job: Pick<SendJob, 'as' | 'plain' | 'hosts' | 'token'>,
  prepared: PreparedFile,
  key: Pick<SealedFile, 'key' | 'keyAtMs'>,
  signal: AbortSignal,
): Promise<Uploaded> {
  return job.plain === true
    ? uploadPlain(dependencies, job, prepared, signal)
    : uploadSealed(dependencies, job, prepared, key, signal);
}

/** A file that is not sealed is what it was found to be when it was prepared. */
async function uploadPlain(
  { objects, hosts, clock }: UploadDependencies,
  { as, hosts: names, token }: Pick<SendJob, 'as' | 'hosts' | 'token'>,
  prepared: PreparedFile,
  signal: AbortSignal,
): Promise<Uploaded> {
  const { objectKey, sha256, bytes: length } = prepared;
  let first = await objects.read(objectKey);
  if (first === undefined) return { uploaded: 'gone' };
  const bytes = (): AsyncIterable<Uint8Array> => {
    const opened = first;
    first = undefined;
    return opened ?? readAgain(objects, objectKey);
  };
  try {
    const answer = await hosts.upload({ hosts: names, token }, { as, plain: true, sha256, length, bytes }, signal);
    if (answer.answer !== 'taken') return { uploaded: answer };
    const { url, directPath, handle = '' } = answer;
    return { uploaded: { prepared, url, directPath, handle, uploadedAtMs: clock.nowMs() } };
  } finally {
    first?.destroy();
  }
}

/**
 * Seals a prepared file and uploads it. It is read twice: a host wants to know its hash before its first byte, and it may be too large for memory
 * and disk. The same key makes the same bytes, so what is uploaded twice is the same. Memory: a few chunks.
 */
async function uploadSealed(
  { objects, hosts, clock }: UploadDependencies,
  { as, hosts: names, token }: Pick<SendJob, 'as' | 'hosts' | 'token'>,
  prepared: PreparedFile,
  { key, keyAtMs }: Pick<SealedFile, 'key' | 'keyAtMs'>,
  signal: AbortSignal,
): Promise<Uploaded> {
  const by = { key, use: sealUses[as] };
  const found = await measure(objects, prepared.objectKey, by, signal);
  if (found === undefined) return { uploaded: 'gone' };
  const bytes = (): AsyncIterable<Uint8Array> => sealFile(readAgain(objects, prepared.objectKey), by, () => undefined);
  const cover =
    prepared.pack === undefined ? undefined : await uploadCover(hosts, { names, token }, prepared, key, signal);
  if (cover !== undefined && 'answer' in cover) return { uploaded: cover };
  const { sidecar, sealedSha256, sealedBytes } = found;
  const upload = { as, plain: false, sha256: sealedSha256, length: sealedBytes, bytes } as const;
  const answer = await hosts.upload({ hosts: names, token }, upload, signal);
  if (answer.answer !== 'taken') return { uploaded: answer };
  return {
    uploaded: {
      prepared,
      url: answer.url,
      directPath: answer.directPath,
      key,
      keyAtMs,
      sealedSha256,
      ...(cover === undefined ? {} : { cover }),
      ...(streamed.has(as) && sidecar !== undefined ? { sidecar } : {}),
      uploadedAtMs: clock.nowMs(),
    },
  };
}

/** Uploads what stands for a pack of stickers in a chat: its small picture, which is in memory. */
async function uploadCover(
  hosts: UploadDependencies['hosts'],
  { names, token }: { readonly names: readonly string[]; readonly token: string },
  { thumbnail = '' }: PreparedFile,
  key: string,
  signal: AbortSignal,
): Promise<UploadedCover | Exclude<UploadAnswer, { readonly answer: 'taken' }>> {
  const picture = Buffer.from(thumbnail, 'base64');
  const sealed: Uint8Array[] = [];
  let sealedSha256 = '';
  const chunks = sealFile(
    Readable.from([picture]) as AsyncIterable<Uint8Array>,
    { key, use: 'sticker_pack_cover' },
    (found) => {
      ({ sealedSha256 } = found);
    },
  );
  for await (const chunk of chunks) sealed.push(chunk);
  const all = Buffer.concat(sealed);
  const bytes = (): AsyncIterable<Uint8Array> => Readable.from([all]) as AsyncIterable<Uint8Array>;
  const upload = { as: 'sticker_pack_cover', plain: false, sha256: sealedSha256, length: all.length, bytes } as const;
  const answer = await hosts.upload({ hosts: names, token }, upload, signal);
  if (answer.answer !== 'taken') return answer;
  const sha256 = createHash('sha256').update(picture).digest('base64');
  return { directPath: answer.directPath, sha256, sealedSha256 };
}

async function measure(
  objects: Pick<ObjectStore, 'read'>,
  objectKey: string,
  by: Parameters<typeof sealFile>[1],
  signal: AbortSignal,
): Promise<SealFound | undefined> {
  const stream = await objects.read(objectKey);
  if (stream === undefined) return undefined;
  let found: SealFound | undefined;
  const sealed = sealFile(stream as AsyncIterable<Uint8Array>, by, (all) => {
    found = all;
  });
  for await (const _chunk of sealed) signal.throwIfAborted();
  return found;
}

async function* readAgain(objects: Pick<ObjectStore, 'read'>, objectKey: string): AsyncGenerator<Uint8Array> {
  const stream = await objects.read(objectKey);
  if (stream === undefined) throw new Error('an object is gone while it is read');
  yield* stream as AsyncIterable<Uint8Array>;
}
