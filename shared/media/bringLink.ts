import type { TenantId } from '../kernel/id.ts';
import { linkedFile, type BroughtFile } from './broughtFile.ts';
import type { BroughtFileStore } from './broughtFileStore.ts';
import { askForFiles, type MediaQueue } from './mediaJob.ts';

export interface LinkDependencies extends MediaQueue {
  readonly brought: Pick<BroughtFileStore, 'create' | 'find' | 'noteAsked'>;
  readonly clock: { readonly nowMs: () => number };
}

/** How long nobody asks again for a link that is being fetched, in milliseconds: a request may have died before the queue had it. */
const ASK_AGAIN_MS = 60_000;

/**
 * Has the file behind a link fetched, unless it was a moment ago. The caller has checked the link. Returns the row as it is.
 *
 * - *It dies between the row and the queue*: a request with the link that comes a minute later asks again.
 * - *Two do it at once*: one of them writes the row, and it alone asks.
 */
export async function bringLink(
  dependencies: LinkDependencies,
  tenantId: TenantId,
  link: string,
): Promise<BroughtFile> {
  const nowMs = dependencies.clock.nowMs();
  const file = linkedFile(tenantId, link, nowMs);
  const { mediaId } = file;
  const isNew = await dependencies.brought.create(file);
  const found = isNew ? file : ((await dependencies.brought.find(mediaId)) ?? file);
  const isAsked =
    isNew || (found.state === 'pending' && (await dependencies.brought.noteAsked(found, nowMs - ASK_AGAIN_MS)));
  if (isAsked) await askForFiles(dependencies, [{ version: 1, tenantId, mediaId }]);
  return found;
}
