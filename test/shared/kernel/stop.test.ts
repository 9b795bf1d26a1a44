import { describe, expect, it } from 'vitest';
import { Stop, systemClock } from '../../../shared/kernel/clock.ts';

const LONG_MS = 3_600_000;

describe('a stop', () => {
  it('ends the wait that is going on, and each one that would begin later', async () => {
    const stop = new Stop();
    const wait = systemClock.sleep(LONG_MS, stop);

    stop.abort();
    stop.abort();

    await wait;
    await systemClock.sleep(LONG_MS, stop);
    expect(stop.aborted).toBe(true);
  });

  it('ends the second of two waits when the first is over', async () => {
    const stop = new Stop();
    await systemClock.sleep(1, stop);
    const second = systemClock.sleep(LONG_MS, stop);

    stop.abort();

    await second;
    expect(stop.aborted).toBe(true);
  });
});
