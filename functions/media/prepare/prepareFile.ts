import { createHash, type Hash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { TenantId } from '../../../shared/kernel/id.ts';
import type { ObjectStore } from '../../../shared/media/objectStore.ts';
import type { PrepareFault } from '../../../shared/media/prepareFaults.ts';
import { PREPARED_FOLDER } from '../../../shared/media/fileKeeping.ts';
import type { PreparedFile } from '../../../shared/media/preparedFile.ts';
import type { SentUse } from '../../../shared/media/sentUse.ts';
import { fileIn, PrepareError, type Converter } from './converter.ts';
import { fileTypeOf, fileTypes, HEAD_BYTES, type FileType } from './fileTypes.ts';
import { prepareLimits } from './prepareLimits.ts';
import { treatmentOf, type Treatment } from './prepareRules.ts';
import { treatments, type Treated } from './treatments.ts';

export interface PrepareDependencies {
  readonly objects: Pick<ObjectStore, 'head' | 'read' | 'write'>;
  readonly converter: Converter;
}

export interface PrepareRequest {
  readonly tenantId: TenantId;
  readonly objectKey: string;
  /** What the tenant says that it is; it counts only where the bytes say nothing. */
  readonly mimeType?: string | undefined;
  readonly filename?: string | undefined;
  readonly as: SentUse;
  /** Whether the file is made into what phones show and play; otherwise it is sent as it is. */
  readonly convert: boolean;
}

/** What became of a file. `refused`: it will be at every other try, too. */
export type Prepared =
  | { readonly prepared: PreparedFile }
  | {
      readonly refused: PrepareFault;
      /** What was found, for the log. */
      readonly why: string;
    };

/**
 * Prepares a file for being sent: looks what it is by its bytes, makes it into what phones show and play, and says what its message tells of it. A file
 * that is sent as it is never lies on a disk.
 *
 * - *The function dies here*: what was made lies nowhere yet, or under a key that its bytes give; the next try makes the same.
 * - *It happens twice*: both store the same bytes under the same key.
 * - *A decoder hangs, or swells*: it is a process of its own, with 30 s and a bound of memory.
 *
 * Throws where the store of objects or the disk fails, which is over at another time, and the signal's reason when it aborts.
 */
export async function prepareFile(
  dependencies: PrepareDependencies,
  request: PrepareRequest,
  signal: AbortSignal,
): Promise<Prepared> {
  try {
    return { prepared: await prepare(dependencies, request, signal) };
  } catch (error) {
    // Streams give up with an error of their own.
    signal.throwIfAborted();
    if (!(error instanceof PrepareError)) throw error;
    return { refused: error.fault === 'other_codec' ? 'broken' : error.fault, why: error.message };
  }
}

async function prepare(
  dependencies: PrepareDependencies,
  request: PrepareRequest,
  signal: AbortSignal,
): Promise<PreparedFile> {
  const { objects, converter } = dependencies;
  const { objectKey, as, convert } = request;
  const found = await objects.head(objectKey);
  if (found === undefined) throw new PrepareError('gone', 'there is no object');
  if (found.bytes === 0) throw new PrepareError('empty', 'no bytes');
  if (found.bytes > prepareLimits[as].bytes) throw new PrepareError('too_large', `${found.bytes} bytes`);
  const type = fileTypeOf(await headOf(objects, objectKey, signal));
  const treatment = treatmentOf(as, type, convert);
  if (treatment === undefined) throw new PrepareError('wrong_type', type ?? 'unknown');
  if (treatment === 'as_is' || type === undefined) return asItIs(dependencies, request, type, signal);
  return converter.inFolder((folder) => treatIn(folder, dependencies, request, { type, treatment }, signal), signal);
}

/** Hashes the bytes as they come from the store. */
async function asItIs(
  { objects }: PrepareDependencies,
  { objectKey, mimeType }: PrepareRequest,
  type: FileType | undefined,
  signal: AbortSignal,
): Promise<PreparedFile> {
  const hash = createHash('sha256');
  const bytes = await readInto(objects, objectKey, hash, nowhere(), signal);
  const known = type === undefined ? undefined : fileTypes[type].mimeType;
  // A tenant knows better what is in an archive, such as a table.
  const said = mimeType !== undefined && mimeType !== '' ? mimeType : (known ?? 'application/octet-stream');
  return { objectKey, mimeType: said, bytes, sha256: hash.digest('base64'), isConverted: false };
}

async function treatIn(
  folder: string,
  { objects, converter }: PrepareDependencies,
  { tenantId, objectKey, as }: PrepareRequest,
  { type, treatment }: { readonly type: FileType; readonly treatment: Exclude<Treatment, 'as_is'> },
  signal: AbortSignal,
): Promise<PreparedFile> {
  const given = fileIn(folder, 'given');
  const hash = createHash('sha256');
  const bytes = await readInto(objects, objectKey, hash, createWriteStream(given, { mode: 0o600 }), signal);
  const { details, mimeType, made }: Treated = await treatments[treatment]({ converter, folder, as, type, signal });
  if (made === undefined)
    return { objectKey, mimeType, bytes, sha256: hash.digest('base64'), ...details, isConverted: false };
  const sum = await hashOf(made, signal);
  const key = `${PREPARED_FOLDER}/${tenantId}/${sum.toString('hex')}`;
  await objects.write(key, createReadStream(made), { contentType: 'application/octet-stream' }, signal);
  const { size } = await stat(made);
  return { objectKey: key, mimeType, bytes: size, sha256: sum.toString('base64'), ...details, isConverted: true };
}

/** The first bytes of an object, by which its type is known. Throws {@link PrepareError}. */
export async function headOf(
  objects: PrepareDependencies['objects'],
  objectKey: string,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  const source = await objects.read(objectKey, { from: 0, to: HEAD_BYTES - 1 });
  if (source === undefined) throw new PrepareError('gone', 'there is no object');
  await pipeline(source, collecting(chunks), { signal });
  return Buffer.concat(chunks);
}

/** Reads an object to its end, into a hash and a place. Returns the number of its bytes. Throws {@link PrepareError}. */
export async function readInto(
  objects: PrepareDependencies['objects'],
  objectKey: string,
  hash: Hash,
  place: Writable,
  signal: AbortSignal,
): Promise<number> {
  const source = await objects.read(objectKey);
  if (source === undefined) throw new PrepareError('gone', 'there is no object');
  let bytes = 0;
  await pipeline(
    source,
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        bytes += chunk.length;
        hash.update(chunk);
        yield chunk;
      }
    },
    place,
    { signal },
  );
  return bytes;
}

async function hashOf(path: string, signal: AbortSignal): Promise<Buffer> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash, { signal });
  return hash.digest();
}

const nowhere = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() });

const collecting = (chunks: Buffer[]): Writable =>
  new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      chunks.push(chunk);
      done();
    },
  });
