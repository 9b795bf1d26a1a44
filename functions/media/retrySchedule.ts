import { mediaTimes } from '../../shared/platform/queues.ts';

/** The pauses between the tries of one file, in seconds: a day in all, as a host of WhatsApp may be away for hours. */
const PAUSES = [10, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 14_400, 18_000, 21_600] as const;

/** How long to wait after a try, in seconds: up to a fifth less than the schedule says, so that many do not come at once. */
export function retrySeconds(tries: number, chance: number): number {
  const pause = PAUSES[Math.min(Math.max(tries, 1), mediaTimes.tries - 1) - 1] ?? 21_600;
  return Math.ceil(pause * (1 - chance / 5));
}
