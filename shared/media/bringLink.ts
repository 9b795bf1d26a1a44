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
 * - *Its file was deleted*: it is fetched anew, as another file.
 * - *Two do it at once*: one of them writes the row, and it alone asks.
 */
export async function bringLink(
  dependencies: LinkDependencies,
  tenantId: TenantId,
  link: string,
): Promise<BroughtFile> {
  const days = await dependencies.tenantFiles.keptDays(tenantId);
  const nowMs = dependencies.clock.nowMs();
  return bringOnce(dependencies, (turn) => linkedFile(tenantId, link, days, nowMs, turn));
}

/** How often what was deleted is fetched anew before its time is over, at most: each time takes one more read. */
const MOST_TURNS = 10;

/**
 * The same for any file that is fetched. One that was deleted stays so, and is fetched anew as another file.
 * @param fileOf its row, where there is none yet: asked for now. The turn is the number of those that were deleted before it
 */
export async function bringOnce(
  dependencies: Omit<LinkDependencies, 'tenantFiles'>,
  fileOf: (turn: number) => BroughtFile,
): Promise<BroughtFile> {
  let found = await bringIn(dependencies, fileOf(0));
  for (let turn = 1; turn <= MOST_TURNS && found.state === 'gone'; turn += 1) {
    found = await bringIn(dependencies, fileOf(turn));
  }
  return found;
}

async function bringIn(
  { brought, clock, ...media }: Omit<LinkDependencies, 'tenantFiles'>,
  file: BroughtFile,
): Promise<BroughtFile> {
  const { mediaId, tenantId } = file;
  const nowMs = clock.nowMs();
  const isNew = await brought.create(file);
  const found = isNew ? file : ((await brought.find(mediaId)) ?? file);
  if (isNew) await askForFiles(media, [{ version: 1, tenantId, mediaId }]);
  if (isNew || (found.state !== 'pending' && found.state !== 'failed')) return found;
  // The place of a file may be another one by now, and the one before be the reason why it has failed.
  const { link, path } = file;
  const moved = { ...found, ...(link === undefined ? {} : { link }), ...(path === undefined ? {} : { path }) };
  const isMine = await brought.noteAsked(moved, nowMs - ASK_AGAIN_MS[found.state]);
  // Somebody else may have asked for it anew in between.
  if (!isMine) return (await brought.find(mediaId)) ?? found;
  await askForFiles(media, [{ version: 1, tenantId, mediaId }]);
  const { fault: _fault, ...asked } = moved;
  return { ...asked, state: 'pending' };
}
