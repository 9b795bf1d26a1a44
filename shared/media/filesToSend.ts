import type { ConnectionId, MediaId, TenantId } from '../kernel/id.ts';
import { bringLink, type LinkDependencies } from './bringLink.ts';
import type { BroughtFile } from './broughtFile.ts';
import { toFileToSend, type FileToSend } from './fileToSend.ts';
import type { Media } from './media.ts';
import type { MediaStore } from './mediaStore.ts';
import { settleUpload, type UploadDependencies } from './settleUpload.ts';

/** The files that a tenant may send: those that it brought, and those that came. */
export interface FilesToSend {
  /**
   * Finds one of a tenant; undefined also for another tenant's.
   * @param connectionIds those that it may be of; all when left out
   */
  readonly find: (
    tenantId: TenantId,
    mediaId: MediaId,
    connectionIds?: readonly ConnectionId[],
  ) => Promise<FileToSend | undefined>;
  /** Has the file behind a link fetched, and returns it as it is by now. */
  readonly bring: (tenantId: TenantId, link: string) => Promise<FileToSend>;
}

/** Finds a file that a tenant may send, strongly consistent; undefined also for another tenant's. */
export async function findToSend(
  media: Pick<MediaStore, 'findAny'>,
  tenantId: TenantId,
  mediaId: MediaId,
): Promise<FileToSend | undefined> {
  const row = await media.findAny(mediaId);
  return row === undefined || row.tenantId !== tenantId ? undefined : toFileToSend(row);
}

/** The same parts with those files alone that a key may send which is for some connections; all where it is for all. */
export function withFilesOf<Parts extends { readonly files?: FilesToSend }>(
  parts: Parts,
  connectionIds: readonly ConnectionId[] | undefined,
): Parts {
  const { files } = parts;
  if (files === undefined || connectionIds === undefined) return parts;
  const { find, bring } = files;
  return { ...parts, files: { find: (tenantId, mediaId) => find(tenantId, mediaId, connectionIds), bring } };
}

/**
 * Whether a file is of one of some connections: it came on it, or the tenant brought it for whichever. A picture that was looked up may be
 * one that its person shows to the account of another connection alone.
 */
function isOf(row: Media | BroughtFile, connectionIds: readonly ConnectionId[]): boolean {
  return 'broughtBy' in row ? row.broughtBy !== 'picture' : connectionIds.includes(row.connectionId);
}

/** The files to send, as the stores have them. */
export function makeFilesToSend(
  dependencies: LinkDependencies & UploadDependencies & { readonly media: Pick<MediaStore, 'findAny'> },
): FilesToSend {
  return {
    find: async (tenantId, mediaId, connectionIds) => {
      const row = await dependencies.media.findAny(mediaId);
      if (row === undefined || row.tenantId !== tenantId) return undefined;
      if (connectionIds !== undefined && !isOf(row, connectionIds)) return undefined;
      // Nobody has to say that an upload is over.
      return toFileToSend('broughtBy' in row ? await settleUpload(dependencies, row) : row);
    },
    bring: async (tenantId, link) => toFileToSend(await bringLink(dependencies, tenantId, link)),
  };
}
