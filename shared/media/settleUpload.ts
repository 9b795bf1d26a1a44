import type { Random } from '../kernel/random.ts';
import { broughtHoldOf, settledKeyOf, type BroughtFile } from './broughtFile.ts';
import type { BroughtFileStore } from './broughtFileStore.ts';
import { countBrought } from './countBrought.ts';
import type { ObjectHolds } from './objectHolds.ts';
import type { ObjectUploads } from './objectUploads.ts';

export interface UploadDependencies {
  readonly brought: Pick<BroughtFileStore, 'find' | 'end'>;
  readonly uploads: Pick<ObjectUploads, 'listParts' | 'complete' | 'copy' | 'remove' | 'sizeOf'>;
  readonly holds: Pick<ObjectHolds, 'hold' | 'count' | 'release'>;
  readonly random: Pick<Random, 'bytes'>;
}

/** The size of each part of a large upload but the last, in bytes; a smaller file is uploaded at once. */
export const UPLOAD_PART_BYTES = 16 * 1_024 * 1_024;

/** The sizes of the parts of an upload, in their order. */
export function partsOfUpload(bytes: number): readonly number[] {
  const whole = Math.floor(bytes / UPLOAD_PART_BYTES);
  const rest = bytes - whole * UPLOAD_PART_BYTES;
  const parts = Array.from({ length: whole }, () => UPLOAD_PART_BYTES);
  return rest === 0 ? parts : [...parts, rest];
}

/**
 * Looks whether a file that is awaited has come, and writes it down. Returns the file as it is now: still `awaited` where a part
 * is missing. So nobody has to say that an upload is over: whoever wants the file looks.
 *
 * What came at once is copied to a name of its own first, since its address takes another one until it ends. Parts take none once they are
 * one object.
 *
 * - *It dies in between*: whoever looks next goes on; an upload that was completed is an object. A copy that no row names is removed by the
 *   bucket some day.
 * - *Two do it at once*: S3 completes once, and the row takes one end. The copy of the other is removed.
 */
export async function settleUpload(dependencies: UploadDependencies, file: BroughtFile): Promise<BroughtFile> {
  if (file.state !== 'awaited') return file;
  return file.uploadId === undefined ? settleWhole(dependencies, file) : settleParts(dependencies, file, file.uploadId);
}

async function settleParts(
  dependencies: UploadDependencies,
  file: BroughtFile,
  uploadId: string,
): Promise<BroughtFile> {
  const { uploads } = dependencies;
  const { objectKey, bytes: expected = 0 } = file;
  const found = (await uploads.listParts(objectKey, uploadId)) ?? [];
  const parts = partsOfUpload(expected).map((bytes, place) =>
    found.find((part) => part.number === place + 1 && part.bytes === bytes),
  );
  const whole = parts.filter((part) => part !== undefined);
  if (found.length > 0 && whole.length < parts.length) return file;
  if (found.length > 0) await uploads.complete(objectKey, uploadId, whole);
  return (await end(dependencies, file, objectKey)) ?? file;
}

async function settleWhole(dependencies: UploadDependencies, file: BroughtFile): Promise<BroughtFile> {
  const { brought, uploads, random } = dependencies;
  const { objectKey, mediaId } = file;
  const settledKey = settledKeyOf(objectKey, random);
  if ((await uploads.copy(objectKey, settledKey)) === 'missing') return (await brought.find(mediaId)) ?? file;
  const now = await end(dependencies, file, settledKey);
  // The row says which copy it is, also where the answer to the write was lost. What stays here ends with its folder's days.
  await uploads.remove(now?.objectKey === settledKey ? objectKey : settledKey).catch(() => undefined);
  return now ?? file;
}

/** Counts a file that is there and writes that down. Returns the file as it is then; undefined where it is not there. */
async function end(
  { brought, uploads, holds }: UploadDependencies,
  file: BroughtFile,
  objectKey: string,
): Promise<BroughtFile | undefined> {
  const bytes = await uploads.sizeOf(objectKey);
  if (bytes !== undefined) {
    await countBrought(holds, file, bytes);
    await brought.end(file, { state: 'ready', bytes, objectKey });
  }
  const now = await brought.find(file.mediaId);
  if (bytes !== undefined && now?.state === 'gone') {
    // It was erased meanwhile.
    await holds.release(broughtHoldOf(file));
    await uploads.remove(objectKey);
  }
  return now;
}
