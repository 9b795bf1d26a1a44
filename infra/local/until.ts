import { systemClock } from '../../shared/kernel/clock.ts';

/** Asks again and again until the answer fits. Throws an Error with the last answer after the deadline. */
export async function until<Value>(
  what: string,
  read: () => Value | Promise<Value>,
  fits: (value: Value) => boolean,
  deadlineMs = 60_000,
): Promise<Value> {
  const giveUpAtMs = performance.now() + deadlineMs;
  let last = await read();
  while (!fits(last)) {
    if (performance.now() > giveUpAtMs)
      throw new Error(`${what} did not come; last: ${(JSON.stringify(last) ?? 'nothing').slice(0, 2_000)}`);
    await systemClock.sleep(50);
    last = await read();
  }
  return last;
}
