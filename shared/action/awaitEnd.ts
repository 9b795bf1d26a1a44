import type { Clock } from '../kernel/clock.ts';
import { withDeadline } from '../kernel/deadline.ts';
import { isEnded, type Action } from './action.ts';
import type { ActionStore } from './actionStore.ts';

/**
 * The pauses between reads. The first is about as long as the fastest action takes; each further one is longer by half,
 * up to a second.
 */
const PAUSE = { firstMs: 50, factor: 1.5, capMs: 1_000 } as const;

/** How far beyond the end of the wait the last read may go, in milliseconds. */
const LEAST_READ_MS = 500;

/** The pauses between the reads of one wait, in milliseconds: never past its end. The function is pure. */
export function pausesWithin(waitMs: number): readonly number[] {
  const pauses: number[] = [];
  let nextMs: number = PAUSE.firstMs;
  for (let leftMs = waitMs; leftMs > 0; leftMs -= pauses.at(-1) ?? 0) {
    pauses.push(Math.min(nextMs, leftMs));
    nextMs = Math.min(nextMs * PAUSE.factor, PAUSE.capMs);
  }
  return pauses;
}

/**
 * Waits for an action to end, by reading its row: each read is one read unit for each 4 KB. Returns the action as it is when it has
 * ended, or when the time is over. A read that fails is passed over, since the action has been accepted all the same.
 */
export async function awaitEnd(
  {
    actions,
    clock,
  }: { readonly actions: Pick<ActionStore, 'find'>; readonly clock: Pick<Clock, 'sleep' | 'monotonicMs'> },
  action: Action,
  waitMs: number,
): Promise<Action> {
  let latest = action;
  const untilMs = clock.monotonicMs() + waitMs;
  for (const pauseMs of pausesWithin(waitMs)) {
    if (isEnded(latest) || clock.monotonicMs() >= untilMs) break;
    await clock.sleep(pauseMs);
    const leftMs = Math.max(LEAST_READ_MS, untilMs - clock.monotonicMs());
    const read = withDeadline('reading an action', leftMs, () => actions.find(action.connectionId, action.actionId));
    latest = (await read.catch(() => undefined)) ?? latest;
  }
  return latest;
}
