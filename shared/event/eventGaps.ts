import { GAP_FORGOTTEN_MS, GAP_PATIENCE_MS, type EventLogDependencies } from './eventLog.ts';
import { voidPlaces, type PageRow } from './eventPages.ts';
import type { LaneOfLog } from './laneRows.ts';

/**
 * Decides about the numbers that are missing between the last page passed and the next row that exists: nothing, if
 * there are none; wait, as their writers may be at work; settle each; or forget them.
 */
export function judgeGap(
  passed: number,
  next: Pick<PageRow, 'page' | 'previousTakenAtMs'>,
  nowMs: number,
): 'none' | 'wait' | 'settle' | 'forget' {
  if (next.page === passed + 1) return 'none';
  const ageMs = nowMs - next.previousTakenAtMs;
  if (ageMs <= GAP_PATIENCE_MS) return 'wait';
  return ageMs <= GAP_FORGOTTEN_MS ? 'settle' : 'forget';
}

/** Voids missing numbers from the oldest on, at most `allowed`. Returns the last number that is settled. */
export async function settleGap(
  dependencies: EventLogDependencies,
  { tenantId, lane }: LaneOfLog,
  passed: number,
  next: Pick<PageRow, 'page' | 'previousTakenAtMs'>,
  allowed: number,
): Promise<number> {
  const until = Math.min(next.page - 1, passed + allowed);
  for (let first = passed + 1; first <= until; first++) {
    // The time is that of the youngest missing number: an older one is at least as old.
    const places = { lane, first, previousTakenAtMs: next.previousTakenAtMs };
    if ((await voidPlaces(dependencies, tenantId, places)) === 'filled') return first - 1;
  }
  return until;
}
