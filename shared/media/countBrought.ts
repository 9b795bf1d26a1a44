import { broughtHoldOf, type BroughtFile } from './broughtFile.ts';
import { keptUntilMs, USUAL_KEPT_DAYS } from './fileKeeping.ts';
import type { ObjectHolds } from './objectHolds.ts';

/** Counts a file that a tenant has brought, with the day on which it ends. Twice is as good as once. */
export async function countBrought(
  holds: Pick<ObjectHolds, 'hold' | 'count'>,
  file: BroughtFile,
  bytes: number,
): Promise<void> {
  const untilMs = file.keptUntilMs ?? keptUntilMs(USUAL_KEPT_DAYS, file.createdAtMs);
  const { object, holder } = broughtHoldOf(file);
  await holds.count(await holds.hold(object, holder, untilMs), bytes, untilMs);
}
