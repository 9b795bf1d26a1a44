import type { MediaId, TenantId } from '../kernel/id.ts';
import type { BroughtFile, BroughtState } from './broughtFile.ts';
import { objectKeyOf, type Media } from './media.ts';
import type { MediaFault } from './mediaFaults.ts';

/** A file that a message may be made of, whether a tenant brought it or it came with a message. */
export interface FileToSend {
  readonly mediaId: MediaId;
  readonly tenantId: TenantId;
  /** One that came and was left is `left`: it is fetched when it is asked for. One that is not kept any more is `gone`. */
  readonly state: BroughtState | 'left';
  readonly objectKey: string;
  readonly mimeType?: string | undefined;
  readonly filename?: string | undefined;
  readonly bytes?: number | undefined;
  /** SHA-256 in base64, where it is known. */
  readonly sha256?: string | undefined;
  readonly fault?: MediaFault | undefined;
}

/** The file of a row, as a message is made of it. */
export function toFileToSend(row: Media | BroughtFile): FileToSend {
  if ('broughtBy' in row) return row;
  const { mediaId, tenantId, state, bytes, sha256, fault, file, told } = row;
  const { mime_type: mimeType } = file;
  // What stands in its message is no object that could be sent.
  if (file.inside === true) return { mediaId, tenantId, state: 'gone', objectKey: objectKeyOf(row) };
  const objectKey = objectKeyOf(row);
  return { mediaId, tenantId, state, objectKey, mimeType, filename: told.filename, bytes, sha256, fault };
}
