import { describe, expect, it } from 'vitest';
import { systemClock, waitUntil } from '../../../shared/kernel/clock.ts';
import { makeEarlyClock, pass } from './earlyClock.ts';

describe('a wait until a moment', () => {
  it('ends when the clock says so, although its timer ends a millisecond before', async () => {
    const clock = makeEarlyClock();
    let endedAtMs: number | undefined;
    void waitUntil(clock, 50).then(() => {
      endedAtMs = clock.monotonicMs();
    });

    await pass(clock, 49);
    const before = endedAtMs;
    await pass(clock, 2);

    expect(before).toBeUndefined();
    expect(endedAtMs).toBeGreaterThanOrEqual(50);
  });

  it('ends at once when the moment is over, and when its signal aborts', async () => {
    const clock = makeEarlyClock();
    const waiting = new AbortController();
    const aborted = waitUntil(clock, 1_000, waiting.signal);

    waiting.abort();
    await Promise.all([waitUntil(clock, 0), aborted]);

    expect(clock.monotonicMs()).toBe(0);
  });

  it('never ends before its time by the monotonic clock of the machine, whatever timers count', async () => {
    const early: number[] = [];
    await Promise.all(
      Array.from({ length: 400 }, async (_, place) => {
        const untilMs = systemClock.monotonicMs() + 5 + place / 97;
        await waitUntil(systemClock, untilMs);
        early.push(untilMs - systemClock.monotonicMs());
      }),
    );

    expect(Math.max(...early)).toBeLessThanOrEqual(0);
  });

  it('is not needed for a plain sleep of the machine: that lasts its whole time by the monotonic clock', async () => {
    const early: number[] = [];
    for (let place = 0; place < 100; place += 1) {
      const untilMs = systemClock.monotonicMs() + 2.5;
      await systemClock.sleep(2.5);
      early.push(untilMs - systemClock.monotonicMs());
    }

    expect(Math.max(...early)).toBeLessThanOrEqual(0);
  });
});
