import { deriveLinkedMediaId, type MediaId, type TenantId } from '../kernel/id.ts';
import type { Random } from '../kernel/random.ts';
import { keptFolderOf, keptUntilMs, type KeptDays } from './fileKeeping.ts';
import type { MediaFault } from './mediaFaults.ts';
import type { Hold } from './objectHolds.ts';

/**
 * States of a file that a tenant brings. `awaited`: nothing was uploaded yet. `pending`: its link is being fetched. `gone`: it is not kept any more.
 */
export const broughtStates = ['awaited', 'pending', 'ready', 'failed', 'gone'] as const;
export type BroughtState = (typeof broughtStates)[number];

/** A file that a tenant brings, to send it: one that is uploaded, or one behind a link. A `picture` is one that WhatsApp shows of somebody. */
export interface BroughtFile {
  readonly mediaId: MediaId;
  readonly tenantId: TenantId;
  readonly broughtBy: 'upload' | 'link' | 'picture';
  readonly state: BroughtState;
  /** The key of its bytes in the bucket. */
  readonly objectKey: string;
  readonly link?: string;
  /** Where a picture lies at WhatsApp's hosts. */
  readonly path?: string;
  /** When its fetch was asked for last. */
  readonly askedAtMs?: number;
  /** The upload in parts that is open at the store of objects. */
  readonly uploadId?: string;
  /** What the tenant says that it is, or the host of the link. */
  readonly mimeType?: string;
  readonly filename?: string;
  /** The size that the tenant says it will have, until it is `ready`; then the size that it has. */
  readonly bytes?: number;
  /** SHA-256 in base64, where it is known. */
  readonly sha256?: string;
  readonly fault?: MediaFault;
  readonly createdAtMs: number;
  /** Until when it is kept; left out in rows of an earlier release. */
  readonly keptUntilMs?: number;
  readonly endedAtMs?: number;
}

/** The name of the object of a file that a tenant brings. */
export function broughtKeyOf(tenantId: TenantId, mediaId: MediaId, days: KeptDays): string {
  return `${keptFolderOf(days)}/${tenantId}/brought/${mediaId}`;
}

/** What a file that was brought holds: an object of its own. */
export function broughtHoldOf({ tenantId, mediaId }: Pick<BroughtFile, 'tenantId' | 'mediaId'>): Hold {
  return { object: { tenantId, name: mediaId }, generation: 0, holder: mediaId };
}

/**
 * The name of the object that an upload becomes. It is drawn anew each time that somebody looks, and no address leads to it, so whoever still holds
 * the one to upload to cannot change what is sent.
 */
export function settledKeyOf(objectKey: string, random: Pick<Random, 'bytes'>): string {
  return `${objectKey}-${Buffer.from(random.bytes(10)).toString('hex')}`;
}

/** How long what was fetched of a link serves further messages, in milliseconds. */
export const LINK_WINDOW_MS = 600_000;

/** The name of what is fetched, from which its id follows. No text of a caller has a NUL, so no link is taken for a later turn of another. */
export function nameOfTurn(name: string, turn: number): string {
  return turn === 0 ? name : `${name}\0${turn}`;
}

/**
 * The row of a link. The same link of a tenant is one file for ten minutes, so a thousand messages fetch it once.
 * @param turn how many of its files were deleted in that time
 */
export function linkedFile(tenantId: TenantId, link: string, days: KeptDays, nowMs: number, turn = 0): BroughtFile {
  const windowMs = nowMs - (nowMs % LINK_WINDOW_MS);
  const mediaId = deriveLinkedMediaId(tenantId, nameOfTurn(link, turn), windowMs);
  const objectKey = broughtKeyOf(tenantId, mediaId, days);
  return {
    mediaId,
    tenantId,
    broughtBy: 'link',
    state: 'pending',
    objectKey,
    link,
    askedAtMs: nowMs,
    createdAtMs: nowMs,
    keptUntilMs: keptUntilMs(days, nowMs),
  };
}
