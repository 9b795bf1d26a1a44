import { TimeoutError, withDeadline } from '../../shared/kernel/deadline.ts';
import { deadlines } from '../../shared/kernel/deadlines.ts';
import { FILE_BYTES } from '../../shared/content/mediaFile.ts';
import { objectKeyOf, type Media } from '../../shared/media/media.ts';
import type { MediaEnd } from '../../shared/media/mediaStore.ts';
import type { ObjectStore } from '../../shared/media/objectStore.ts';
import { FileFaultError, openFile, type FileFound } from '../../shared/media/sealedFile.ts';
import type { Clock } from '../../shared/kernel/clock.ts';
import { SourceError, type FileSource } from './fileSource.ts';

export interface FetchDependencies {
  readonly source: Pick<FileSource, 'read'>;
  readonly objects: Pick<ObjectStore, 'write'>;
  readonly clock: Pick<Clock, 'sleep'>;
}

/** What became of one try. `again`: it may come at another time. */
export type Fetched = { readonly fetched: MediaEnd } | { readonly again: unknown };

/**
 * Fetches a file, opens it and stores it, all as it comes: memory does not grow with the file. It is seen under its key only when its last byte is
 * checked.
 *
 * - *The function dies here*: nothing is seen; the job comes again and begins anew.
 * - *It happens twice, or two do it at once*: both store the same bytes under the same key.
 * - *The host never answers, or sends a byte a minute*: the deadline ends it.
 *
 * Throws where the object store fails.
 */
export async function fetchFile(dependencies: FetchDependencies, media: Media): Promise<Fetched> {
  const found: FileFound = { bytes: 0, sha256: '' };
  try {
    await withDeadline(
      'the fetch of a file',
      deadlines.mediaFetch.ms,
      (signal) => {
        const opened = openFile(dependencies.source.read(media.file, signal), media.file, FILE_BYTES, found);
        return dependencies.objects.write(
          objectKeyOf(media),
          opened,
          { contentType: 'application/octet-stream' },
          signal,
        );
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
