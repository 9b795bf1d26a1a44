import { createHash } from 'node:crypto';
import { TimeoutError, withDeadline } from '../../shared/kernel/deadline.ts';
import { deadlines } from '../../shared/kernel/deadlines.ts';
import type { Clock } from '../../shared/kernel/clock.ts';
import type { BroughtFile } from '../../shared/media/broughtFile.ts';
import type { BroughtEnd } from '../../shared/media/broughtFileStore.ts';
import type { ObjectStore } from '../../shared/media/objectStore.ts';
import { isHostOfWhatsApp, SourceError, type FileSource } from './fileSource.ts';

export interface PictureDependencies {
  readonly source: Pick<FileSource, 'read'>;
  readonly objects: Pick<ObjectStore, 'write'>;
  readonly clock: Pick<Clock, 'sleep'>;
}

/** The most bytes of a picture: fifty times one of those that phones set. */
const MOST_BYTES = 5 * 1_024 * 1_024;
const JPEG = Buffer.from([0xff, 0xd8, 0xff]);

class NoPictureError extends Error {
  override readonly name = 'NoPictureError';
}

/**
 * Fetches a picture of somebody from WhatsApp's host and stores it as it comes. It is not sealed, and WhatsApp says nothing of it by which it could be
 * checked, so a JPEG of a size that pictures have is all that is kept.
 *
 * - *The function dies here*: nothing is seen; the job comes again and begins anew.
 * - *It happens twice*: both store what the host gives them, and the row takes one end.
 * - *The host never answers, or sends a byte a minute*: the deadline ends it.
 *
 * Throws where the object store fails.
 */
export async function fetchPicture(
  { source, objects, clock }: PictureDependencies,
  { link, path, objectKey }: Pick<BroughtFile, 'link' | 'path' | 'objectKey'>,
): Promise<{ readonly fetched: BroughtEnd } | { readonly again: unknown }> {
  const hash = createHash('sha256');
  let bytes = 0;
  const run = async (signal: AbortSignal): Promise<BroughtEnd> => {
    const counted = async function* (): AsyncGenerator<Uint8Array> {
      let head = Buffer.alloc(0);
      for await (const chunk of source.read(placeOf(link, path), signal)) {
        if (head.length < JPEG.length) head = Buffer.concat([head, chunk.subarray(0, JPEG.length)]);
        bytes += chunk.length;
        if (bytes > MOST_BYTES) throw new NoPictureError('it is too large');
        hash.update(chunk);
        yield chunk;
      }
      if (!head.subarray(0, JPEG.length).equals(JPEG)) throw new NoPictureError('it is no JPEG');
    };
    await objects.write(objectKey, counted(), { contentType: 'application/octet-stream' }, signal);
    return { state: 'ready', bytes, sha256: hash.digest('base64'), mimeType: 'image/jpeg' };
  };
  try {
    return { fetched: await withDeadline('the fetch of a picture', deadlines.mediaDownload.ms, run, clock) };
  } catch (error) {
    const cause = causeOf(error);
    if (cause instanceof NoPictureError) return { fetched: { state: 'failed', fault: 'not_a_picture' } };
    if (cause instanceof SourceError && cause.fault !== 'passing') {
      // A link that is over is followed by another one: who asks WhatsApp again gets it.
      const fault = cause.fault === 'gone' ? 'unreachable' : cause.fault;
      return { fetched: { state: 'failed', fault } };
    }
    if (cause instanceof SourceError || error instanceof TimeoutError) return { again: error };
    throw error;
  }
}

/** The place of a picture: pictures have a host of their own, whose name WhatsApp says; its path holds at every host of WhatsApp. */
function placeOf(
  link: string | undefined,
  path: string | undefined,
): { readonly url?: string; readonly path?: string } {
  const linked = link === undefined ? null : URL.parse(link);
  const isNamed = linked?.protocol === 'https:' && isHostOfWhatsApp(linked.hostname);
  if (link !== undefined && (isNamed || path === undefined)) return { url: link };
  return path === undefined ? {} : { path };
}

/** The error of the picture or its host, which the object store may have wrapped. */
function causeOf(error: unknown): unknown {
  for (let [cause, depth] = [error, 0]; cause instanceof Error && depth < 5; cause = cause.cause, depth += 1) {
    if (cause instanceof NoPictureError || cause instanceof SourceError) return cause;
  }
  return error;
}
