import type { Clock } from '../kernel/clock.ts';
import { deriveLinkedMediaId, type TenantId } from '../kernel/id.ts';
import { bringOnce, type LinkDependencies } from './bringLink.ts';
import { broughtKeyOf, nameOfTurn, type BroughtFile } from './broughtFile.ts';
import { keptUntilMs, type KeptDays } from './fileKeeping.ts';
import { toKeptUntil } from './media.ts';
import { mediaFaults } from './mediaFaults.ts';

/** A picture of a person or a group, as WhatsApp answers: where its file lies, which is not sealed. */
export interface ShownPicture {
  /** The address that WhatsApp was asked about. */
  readonly address: string;
  /** WhatsApp's number of the picture, which changes with each one. */
  readonly pictureId: string;
  readonly size: 'full' | 'preview';
  readonly url: string;
  readonly path: string | undefined;
}

/** A picture that is kept, or is being fetched, as the result of an action shows it. */
export interface KeptPicture {
  readonly id: string;
  readonly state: 'pending' | 'ready' | 'failed' | 'gone';
  readonly error?: { readonly code: string; readonly sentence: string };
  readonly mime_type?: string;
  readonly bytes?: number;
  readonly sha256?: string;
  readonly kept_until?: string;
}

/** The file of a picture as it is shown. */
export function toKeptPicture({
  mediaId,
  state,
  fault,
  mimeType,
  bytes,
  sha256,
  keptUntilMs,
}: BroughtFile): KeptPicture {
  return {
    id: mediaId,
    // Nothing is awaited of a file that is fetched.
    state: state === 'awaited' ? 'pending' : state,
    ...(fault === undefined ? {} : { error: { code: fault, sentence: mediaFaults[fault].sentence } }),
    ...(mimeType === undefined ? {} : { mime_type: mimeType }),
    ...(bytes === undefined ? {} : { bytes }),
    ...(sha256 === undefined ? {} : { sha256 }),
    ...toKeptUntil(state, keptUntilMs),
  };
}

export interface KeepPictureDependencies extends Omit<LinkDependencies, 'clock'> {
  readonly clock: Pick<Clock, 'nowMs' | 'sleep'>;
}

/** How long a picture that was fetched serves further questions, in milliseconds: after that its link may be another, and its file was removed. */
const WINDOW_MS = 86_400_000;
/** The pauses between two looks at a file that is being fetched, in milliseconds: three seconds together. */
const LOOKS_MS = [100, 200, 300, 400, 500, 500, 500, 500] as const;

/**
 * Has a picture fetched that WhatsApp shows, unless it was today, and waits a moment for it. Returns its row as it is then; it may still be `pending`.
 *
 * - *It dies between the row and the queue*: whoever asks a minute later has it fetched.
 * - *It has failed*: ten seconds later it is tried anew, from where WhatsApp shows it then.
 * - *It was deleted*: it is fetched anew, as another file.
 */
export async function keepPicture(
  dependencies: KeepPictureDependencies,
  tenantId: TenantId,
  picture: ShownPicture,
): Promise<BroughtFile> {
  const { brought, clock, tenantFiles } = dependencies;
  const days = await tenantFiles.keptDays(tenantId);
  const nowMs = clock.nowMs();
  let file = await bringOnce(dependencies, (turn) => pictureFile(tenantId, picture, days, nowMs, turn));
  for (const pauseMs of LOOKS_MS) {
    if (file.state !== 'pending') break;
    await clock.sleep(pauseMs);
    file = (await brought.find(file.mediaId)) ?? file;
  }
  return file;
}

/**
 * The row of a picture. The same one is one file for a day, however often it is asked for.
 * @param turn how many of its files were deleted in that time
 */
export function pictureFile(
  tenantId: TenantId,
  { address, pictureId, size, url, path }: ShownPicture,
  days: KeptDays,
  nowMs: number,
  turn = 0,
): BroughtFile {
  const windowMs = nowMs - (nowMs % WINDOW_MS);
  const name = ['picture', address, pictureId, size].join(' ');
  const mediaId = deriveLinkedMediaId(tenantId, nameOfTurn(name, turn), windowMs);
  return {
    mediaId,
    tenantId,
    broughtBy: 'picture',
    state: 'pending',
    objectKey: broughtKeyOf(tenantId, mediaId, days),
    link: url,
    ...(path === undefined ? {} : { path }),
    askedAtMs: nowMs,
    createdAtMs: nowMs,
    keptUntilMs: keptUntilMs(days, nowMs),
  };
}
