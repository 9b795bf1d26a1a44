import { z } from 'zod';
import type { TenantId } from '../kernel/id.ts';

/**
 * How many days a tenant may have its files kept. Each is a folder of the bucket with a rule of its own, which removes what is older, so no job has to; a
 * tenant that chooses another one has its next files kept so.
 */
export const keptDaysChoices = [1, 3, 7, 14, 30, 60, 90] as const;
export type KeptDays = (typeof keptDaysChoices)[number];
/** How long files are kept where a tenant has said nothing: as long as messages. */
export const USUAL_KEPT_DAYS: KeptDays = 90;

export const keptDaysSchema = z.literal(keptDaysChoices).meta({
  description: `For how many days files are kept: ${keptDaysChoices.join(', ')}. It holds for files that come or are brought from then on.`,
  example: 30,
});

const DAY_MS = 86_400_000;

/** When a file ends that is here since a time, in milliseconds since 1970. */
export function keptUntilMs(days: KeptDays, sinceMs: number): number {
  return sinceMs + days * DAY_MS;
}

/** A file as it is at a time: one whose days are over is gone, whether or not the bucket has removed it. */
export function asKept<Row extends { readonly state: string; readonly keptUntilMs?: number | undefined }>(
  row: Row,
  nowMs: number,
): Row {
  const isOver = row.state === 'ready' && row.keptUntilMs !== undefined && row.keptUntilMs <= nowMs;
  return isOver ? { ...row, state: 'gone' } : row;
}

/** The days after which the bucket removes an object of a folder: one more, so that no file is gone before its row says so. */
export function objectDaysOf(days: KeptDays): number {
  return days + 1;
}

/** The folder of what is made of files to send them. It serves the tries of one upload, and is made anew after that. */
export const PREPARED_FOLDER = 'prepared';
/** The days after which the bucket removes it. */
export const PREPARED_DAYS = 14;

/** The folder of files that are kept for so many days. */
export function keptFolderOf(days: KeptDays): string {
  return `${days}d`;
}

/** The days after which the bucket removes an object, by its key: the same rules as on AWS. */
export function objectDaysOfKey(key: string): number {
  const [folder] = key.split('/', 1);
  if (folder === PREPARED_FOLDER) return PREPARED_DAYS;
  return objectDaysOf(keptDaysChoices.find((days) => keptFolderOf(days) === folder) ?? USUAL_KEPT_DAYS);
}

/** A file of a tenant as the bucket knows it: once, whatever the number of messages that bring it. */
export interface ObjectName {
  readonly tenantId: TenantId;
  /** SHA-256 in hexadecimal, or the id of the file where its sender left that out. */
  readonly name: string;
}

/**
 * The key of a file that came. Each time that nothing holds a file any more and it is removed, its name is used no longer: whoever brings it again
 * stores it beside what is being removed.
 */
export function keptKeyOf({ tenantId, name }: ObjectName, generation: number, days: KeptDays): string {
  return `${keptFolderOf(days)}/${tenantId}/${name}${generation === 0 ? '' : `.${generation}`}`;
}
