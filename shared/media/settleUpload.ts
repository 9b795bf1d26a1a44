import type { BroughtFile } from './broughtFile.ts';
import type { BroughtFileStore } from './broughtFileStore.ts';
import type { ObjectUploads } from './objectUploads.ts';

export interface UploadDependencies {
  readonly brought: Pick<BroughtFileStore, 'find' | 'end'>;
  readonly uploads: Pick<ObjectUploads, 'listParts' | 'complete' | 'sizeOf'>;
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
 * - *It dies in between*: whoever looks next goes on; an upload that was completed is an object.
 * - *Two do it at once*: S3 completes once, and the row takes one end, which is the same.
 */
export async function settleUpload({ brought, uploads }: UploadDependencies, file: BroughtFile): Promise<BroughtFile> {
  if (file.state !== 'awaited') return file;
  const { objectKey, uploadId, bytes: expected = 0 } = file;
  if (uploadId !== undefined) {
    const found = (await uploads.listParts(objectKey, uploadId)) ?? [];
    const parts = partsOfUpload(expected).map((bytes, place) =>
      found.find((part) => part.number === place + 1 && part.bytes === bytes),
    );
    const whole = parts.filter((part) => part !== undefined);
    if (found.length > 0 && whole.length < parts.length) return file;
    if (found.length > 0) await uploads.complete(objectKey, uploadId, whole);
  }
  const bytes = await uploads.sizeOf(objectKey);
  if (bytes === undefined) return file;
  await brought.end(file, { state: 'ready', bytes });
  return (await brought.find(file.mediaId)) ?? file;
}
