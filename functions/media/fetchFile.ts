import { TimeoutError, withDeadline } from '../../shared/kernel/deadline.ts';
import { deadlines } from '../../shared/kernel/deadlines.ts';
import { FILE_BYTES } from '../../shared/content/mediaFile.ts';
import { holderOf } from '../../shared/media/eraseJob.ts';
import { keptKeyOf, keptUntilMs } from '../../shared/media/fileKeeping.ts';
import type { TenantFiles } from '../../shared/media/keptBytes.ts';
import { objectNameOf, type Media } from '../../shared/media/media.ts';
import type { Hold, ObjectHolds } from '../../shared/media/objectHolds.ts';
import type { MediaEnd } from '../../shared/media/mediaStore.ts';
import type { ObjectStore } from '../../shared/media/objectStore.ts';
import { FileFaultError, openFile, type FileFound } from '../../shared/media/sealedFile.ts';
import type { Clock } from '../../shared/kernel/clock.ts';
import { SourceError, type FileSource } from './fileSource.ts';

export interface FetchDependencies {
  readonly source: Pick<FileSource, 'read'>;
  readonly objects: Pick<ObjectStore, 'write'>;
  readonly holds: Pick<ObjectHolds, 'hold' | 'count'>;
  readonly tenantFiles: Pick<TenantFiles, 'keptDays'>;
  readonly clock: Pick<Clock, 'nowMs' | 'sleep'>;
}

/** What became of one try, with what it holds. `again`: it may come at another time, and holds the same. */
export type Fetched = { readonly hold: Hold } & ({ readonly fetched: MediaEnd } | { readonly again: unknown });

/**
 * Fetches a file, opens it and stores it, all as it comes: memory does not grow with the file. It is seen under its key only when its last byte is
 * checked.
 *
 * - *The function dies here*: nothing is seen; the job comes again and begins anew.
 * - *It happens twice, or two do it at once*: both store the same bytes under the same key.
 * - *The host never answers, or sends a byte a minute*: the deadline ends it.
 *
 * Throws where a store fails.
 */
export async function fetchFile(dependencies: FetchDependencies, media: Media): Promise<Fetched> {
  const { clock, holds, tenantFiles } = dependencies;
  const days = await tenantFiles.keptDays(media.tenantId);
  const untilMs = keptUntilMs(days, clock.nowMs());
  const hold = await holds.hold(objectNameOf(media), holderOf(media), untilMs);
  const objectKey = keptKeyOf(hold.object, hold.generation, days);
  const end = await store(dependencies, media, objectKey);
  if ('again' in end || end.fetched.state === 'failed') return { ...end, hold };
  await holds.count(hold, end.fetched.bytes, untilMs);
  const place = { objectKey, generation: hold.generation, keptUntilMs: untilMs };
  return { fetched: { ...end.fetched, ...place }, hold };
}

async function store(
  dependencies: FetchDependencies,
  media: Media,
  objectKey: string,
): Promise<{ readonly fetched: MediaEnd } | { readonly again: unknown }> {
  const found: FileFound = { bytes: 0, sha256: '' };
  try {
    await withDeadline(
      'the fetch of a file',
      deadlines.mediaFetch.ms,
      (signal) => {
        const opened = openFile(dependencies.source.read(media.file, signal), media.file, FILE_BYTES, found);
        return dependencies.objects.write(objectKey, opened, { contentType: 'application/octet-stream' }, signal);
      },
      dependencies.clock,
    );
    return { fetched: { state: 'ready', ...found } };
  } catch (error) {
    const cause = causeOf(error);
    if (cause instanceof FileFaultError) return { fetched: { state: 'failed', fault: cause.fault } };
    if (cause instanceof SourceError && cause.fault !== 'passing') {
      return { fetched: { state: 'failed', fault: cause.fault } };
    }
    if (cause instanceof SourceError || error instanceof TimeoutError) return { again: error };
    throw error;
  }
}

/** The error of the source, which the object store may have wrapped. */
function causeOf(error: unknown): unknown {
  for (let cause = error, depth = 0; depth < 5; depth += 1) {
    if (cause instanceof FileFaultError || cause instanceof SourceError) return cause;
    if (!(cause instanceof Error)) break;
    cause = cause.cause;
  }
  return error;
}
