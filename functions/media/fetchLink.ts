import { createHash } from 'node:crypto';
import { TimeoutError, withDeadline } from '../../shared/kernel/deadline.ts';
import { deadlines } from '../../shared/kernel/deadlines.ts';
import type { BroughtFile } from '../../shared/media/broughtFile.ts';
import type { BroughtEnd } from '../../shared/media/broughtFileStore.ts';
import type { ObjectStore } from '../../shared/media/objectStore.ts';
import type { Clock } from '../../shared/kernel/clock.ts';
import { LinkError, type LinkedFile, type LinkSource } from './linkSource.ts';

export interface LinkDependencies {
  readonly links: Pick<LinkSource, 'open'>;
  readonly objects: Pick<ObjectStore, 'write'>;
  readonly clock: Pick<Clock, 'sleep'>;
}

/** How often a link is tried: its message waits meanwhile, and its sender wants to know. */
export const LINK_TRIES = 4;

/**
 * Fetches what a link leads to and stores it as it comes: memory does not grow with the file.
 *
 * - *The function dies here*: nothing is seen; the job comes again and begins anew.
 * - *It happens twice*: both store what the host gives them, and the row takes one end.
 * - *The host never answers, or sends a byte a minute*: the deadline ends it.
 *
 * Throws where the object store fails.
 */
export async function fetchLink(
  { links, objects, clock }: LinkDependencies,
  { link = '', objectKey }: Pick<BroughtFile, 'link' | 'objectKey'>,
): Promise<{ readonly fetched: BroughtEnd } | { readonly again: unknown }> {
  const hash = createHash('sha256');
  let bytes = 0;
  const counted = async function* ({ bytes: source }: LinkedFile): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      hash.update(chunk);
      bytes += chunk.length;
      yield chunk;
    }
  };
  const run = async (signal: AbortSignal): Promise<BroughtEnd> => {
    const found = await links.open(link, signal);
    await objects.write(objectKey, counted(found), { contentType: 'application/octet-stream' }, signal);
    const { mimeType, filename } = found;
    return {
      state: 'ready',
      bytes,
      sha256: hash.digest('base64'),
      ...(mimeType === undefined ? {} : { mimeType }),
      ...(filename === undefined ? {} : { filename }),
    };
  };
  try {
    return { fetched: await withDeadline('the fetch of a link', deadlines.linkFetch.ms, run, clock) };
  } catch (error) {
    const cause = findLinkError(error);
    if (cause !== undefined && cause.refusal !== 'passing')
      return { fetched: { state: 'failed', fault: cause.refusal } };
    if (cause !== undefined || error instanceof TimeoutError) return { again: error };
    throw error;
  }
}

/** The error of the link, which the object store may have wrapped. */
function findLinkError(error: unknown): LinkError | undefined {
  for (let [cause, depth] = [error, 0]; cause instanceof Error && depth < 5; cause = cause.cause, depth += 1) {
    if (cause instanceof LinkError) return cause;
  }
  return undefined;
}
