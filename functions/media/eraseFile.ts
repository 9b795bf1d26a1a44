import { deriveMediaId } from '../../shared/kernel/id.ts';
import type { BroughtFileStore } from '../../shared/media/broughtFileStore.ts';
import { MOST_FILES } from '../../shared/content/mediaFile.ts';
import {
  eraseJobOf,
  keysOfHold,
  type EraseFilesJob,
  type EraseForGoodJob,
  type EraseJob,
  type EraseMessageJob,
} from '../../shared/media/eraseJob.ts';
import { PREPARED_FOLDER } from '../../shared/media/fileKeeping.ts';
import { forgetTenantFile, type FileNotes } from '../../shared/media/fileNotes.ts';
import type { MediaStore } from '../../shared/media/mediaStore.ts';
import type { Hold, ObjectHolds } from '../../shared/media/objectHolds.ts';
import type { ObjectStore } from '../../shared/media/objectStore.ts';
import type { PictureStore } from '../../shared/media/pictureStore.ts';
import type { UploadStore } from '../../shared/media/uploadStore.ts';

export interface ForGoodDependencies extends EraseDependencies, FileNotes {
  readonly media: Pick<MediaStore, 'find' | 'findAny' | 'erase' | 'remove'>;
  readonly brought: Pick<BroughtFileStore, 'erase'>;
  readonly holds: Pick<ObjectHolds, 'release' | 'forget'>;
}

export interface EraseDependencies {
  readonly media: Pick<MediaStore, 'find' | 'erase'>;
  readonly holds: Pick<ObjectHolds, 'release'>;
  readonly objects: Pick<ObjectStore, 'remove'>;
  readonly uploads: Pick<UploadStore, 'list' | 'remove'>;
  readonly pictures: Pick<PictureStore, 'remove'>;
}

/**
 * Removes the bytes of a file, unless another file holds them, and what was made of them to send it. Throws where a store fails: then the job comes again, and each
 * step is done again.
 */
export async function eraseFile(dependencies: EraseDependencies, job: EraseJob): Promise<'removed' | 'held'> {
  const { tenantId, mediaId, name, generation, holder, keys, file } = job;
  // A picture is that of this file alone, whoever else holds the bytes.
  await dependencies.pictures.remove(mediaId);
  const hold = { object: { tenantId, name }, generation, holder };
  if ((await dependencies.holds.release(hold)) === 'held') return 'held';
  for (const key of keys) await dependencies.objects.remove(key);
  await eraseUploads(dependencies, job.tenantId, file);
  return 'removed';
}

/** Erases the files of a message that was taken back, as far as their rows say that it is asked for. */
export async function eraseMessage(dependencies: EraseDependencies, job: EraseMessageJob): Promise<void> {
  const { media } = dependencies;
  const ids = Array.from({ length: MOST_FILES }, (_, place) => deriveMediaId(job.messageId, place));
  // Each is read strongly: its row says a moment ago that it is asked for.
  for (const row of await Promise.all(ids.map((id) => media.find(id)))) {
    if (row?.tenantId !== job.tenantId || row.eraseAskedAtMs === undefined) continue;
    // Where it was asked for anew meanwhile, whoever did so has it.
    if (await media.erase(row)) await eraseFile(dependencies, eraseJobOf(row));
  }
}

/**
 * Erases files of a connection that was deleted. Throws where a store fails, or where one is asked for at this moment by a request that began before: then the job comes
 * again.
 */
export async function eraseFilesOfConnection(dependencies: EraseDependencies, job: EraseFilesJob): Promise<void> {
  for (const mediaId of job.mediaIds) {
    const row = await dependencies.media.find(mediaId);
    if (row?.tenantId !== job.tenantId || row.connectionId !== job.connectionId) continue;
    if (!(await dependencies.media.erase(row))) throw new Error('a file was asked for while it was to be erased');
    await eraseFile(dependencies, eraseJobOf(row));
  }
}

/**
 * Erases files of a tenant that is deleted, with all their rows, and forgets each when nothing is left of it: its deletion waits for that. Throws as the other does.
 */
export async function eraseFilesForGood(dependencies: ForGoodDependencies, job: EraseForGoodJob): Promise<void> {
  const { media, brought, holds } = dependencies;
  for (const mediaId of job.mediaIds) {
    const row = await media.findAny(mediaId);
    if (row?.tenantId === job.tenantId) {
      const isGone = 'broughtBy' in row ? await brought.erase(mediaId) : await media.erase(row);
      if (!isGone) throw new Error('a file was asked for while it was to be erased');
      const erased = eraseJobOf(row);
      const outcome = await eraseFile(dependencies, erased);
      if (outcome === 'removed') await holds.forget({ tenantId: job.tenantId, name: erased.name });
      await media.remove(mediaId);
    }
    await forgetTenantFile(dependencies, { tenantId: job.tenantId, mediaId });
  }
}

/** Lets go what a fetch has held that came to nothing, and removes what it stored, unless another file holds it. */
export async function letGo(
  { holds, objects }: Pick<EraseDependencies, 'holds' | 'objects'>,
  hold: Hold,
): Promise<void> {
  if ((await holds.release(hold)) === 'held') return;
  for (const key of keysOfHold(hold)) await objects.remove(key);
}

async function eraseUploads(
  { objects, uploads }: EraseDependencies,
  tenantId: EraseJob['tenantId'],
  file: string,
): Promise<void> {
  for (const { name, row } of await uploads.list(tenantId, file)) {
    const prepared = row.state === 'uploaded' ? row.file.prepared : 'prepared' in row ? row.prepared : undefined;
    if (prepared?.objectKey.startsWith(`${PREPARED_FOLDER}/`) === true) await objects.remove(prepared.objectKey);
    await uploads.remove(name);
  }
}
