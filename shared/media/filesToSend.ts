import type { MediaId, TenantId } from '../kernel/id.ts';
import { bringLink, type LinkDependencies } from './bringLink.ts';
import { toFileToSend, type FileToSend } from './fileToSend.ts';
import type { MediaStore } from './mediaStore.ts';
import { settleUpload, type UploadDependencies } from './settleUpload.ts';

/** The files that a tenant may send: those that it brought, and those that came. */
export interface FilesToSend {
  /** Finds one of a tenant; undefined also for another tenant's. */
  readonly find: (tenantId: TenantId, mediaId: MediaId) => Promise<FileToSend | undefined>;
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

/** The files to send, as the stores have them. */
export function makeFilesToSend(
  dependencies: LinkDependencies & UploadDependencies & { readonly media: Pick<MediaStore, 'findAny'> },
): FilesToSend {
  return {
    find: async (tenantId, mediaId) => {
      const row = await dependencies.media.findAny(mediaId);
      if (row === undefined || row.tenantId !== tenantId) return undefined;
      // Nobody has to say that an upload is over.
      return toFileToSend('broughtBy' in row ? await settleUpload(dependencies, row) : row);
    },
    bring: async (tenantId, link) => toFileToSend(await bringLink(dependencies, tenantId, link)),
  };
}
