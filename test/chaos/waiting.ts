import { setTimeout as sleep } from 'node:timers/promises';

/** Between two looks: a look reads much, and must not be what keeps the machine busy. */
const LOOK_EVERY_MS = 500;

/**
 * Waits until nothing is missing any more. Throws an Error that says what still is after the deadline.
 * @param missing a sentence about what is, or undefined
 */
export async function untilNothingIsMissing(
  missing: () => Promise<string | undefined>,
  deadlineMs: number,
): Promise<void> {
  const giveUpAtMs = performance.now() + deadlineMs;
  for (;;) {
    const sentence = await missing();
    if (sentence === undefined) return;
    if (performance.now() > giveUpAtMs) throw new Error(`After ${deadlineMs / 1_000} s ${sentence}.`);
    await sleep(LOOK_EVERY_MS);
  }
}

/** Gives work a deadline. Throws an Error with `what` when it takes longer; the work goes on unheard. */
export async function within<Value>(what: string, deadlineMs: number, work: Promise<Value>): Promise<Value> {
  const giveUp = new AbortController();
  const late = sleep(deadlineMs, undefined, { signal: giveUp.signal }).then(() => {
    throw new Error(`${what} took longer than ${deadlineMs / 1_000} s.`);
  });
  // Nobody hears it when the work was quicker.
  late.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    giveUp.abort();
  }
}
