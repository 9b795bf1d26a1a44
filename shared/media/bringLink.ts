import type { TenantId } from '../kernel/id.ts';
import { linkedFile, type BroughtFile } from './broughtFile.ts';
import type { BroughtFileStore } from './broughtFileStore.ts';
import type { TenantFiles } from './keptBytes.ts';
import { askForFiles, type MediaQueue } from './mediaJob.ts';

export interface LinkDependencies extends MediaQueue {
  readonly brought: Pick<BroughtFileStore, 'create' | 'find' | 'noteAsked'>;
  readonly tenantFiles: Pick<TenantFiles, 'keptDays'>;
  readonly clock: { readonly nowMs: () => number };
}

/**
 * How long nobody asks again for a link, by its state, in milliseconds. A request may have died before the queue had one that is pending. One
 * that has failed is tried anew soon, as its host may be put right; many messages that name it do not ask for it with each of them.
 */
const ASK_AGAIN_MS = { pending: 60_000, failed: 10_000 } as const;

/**
 * Has the file behind a link fetched, unless it was a moment ago. The caller has checked the link. Returns the row as it is.
 *
 * - *It dies between the row and the queue*: a request with the link that comes a minute later asks again.
 * - *It has failed*: ten seconds later it is tried anew.
 * - *Two do it at once*: one of them writes the row, and it alone asks.
 */
export async function bringLink(
  dependencies: LinkDependencies,
  tenantId: TenantId,
  link: string,
): Promise<BroughtFile> {
  const days = await dependencies.tenantFiles.keptDays(tenantId);
  return bringOnce(dependencies, linkedFile(tenantId, link, days, dependencies.clock.nowMs()));
}

/** The same for any file that is fetched. @param file its row, where there is none yet: asked for now */
export async function bringOnce(
  dependencies: Omit<LinkDependencies, 'tenantFiles'>,
  file: BroughtFile,
): Promise<BroughtFile> {
  const { mediaId, tenantId } = file;
  const nowMs = dependencies.clock.nowMs();
  const isNew = await dependencies.brought.create(file);
  const found = isNew ? file : ((await dependencies.brought.find(mediaId)) ?? file);
  if (isNew) await askForFiles(dependencies, [{ version: 1, tenantId, mediaId }]);
  if (isNew || (found.state !== 'pending' && found.state !== 'failed')) return found;
  const isMine = await dependencies.brought.noteAsked(found, nowMs - ASK_AGAIN_MS[found.state]);
  // Somebody else may have asked for it anew in between.
  if (!isMine) return (await dependencies.brought.find(mediaId)) ?? found;
  await askForFiles(dependencies, [{ version: 1, tenantId, mediaId }]);
  const { fault: _fault, ...asked } = found;
  return { ...asked, state: 'pending' };
}
