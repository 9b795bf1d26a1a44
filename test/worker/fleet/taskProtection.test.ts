import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../../shared/platform/logger.ts';
import { TaskProtection } from '../../../worker/fleet/taskProtection.ts';
import { keepingMetrics } from '../../shared/platform/keepingMetrics.ts';
import { settle } from '../runner/fakes.ts';
import { makeHandClock } from './handClock.ts';

const MINUTE_MS = 60_000;
const HEARTBEAT_MS = 5_000;

/** A worker's protection and its agent, which refuses or is silent when it is told so. */
function aProtection() {
  const clock = makeHandClock();
  const metrics = keepingMetrics();
  const asked: { readonly atMs: number; readonly minutes: number | undefined }[] = [];
  const agent = { mode: 'well' as 'well' | 'refuses' | 'silent' };
  const startMs = clock.monotonicMs();
  const protection = new TaskProtection({
    clock,
    metrics,
    logger: silentLogger,
    protectTask: (minutes) => {
      asked.push({ atMs: clock.monotonicMs() - startMs, minutes });
      if (agent.mode === 'silent') return new Promise(() => undefined);
      return agent.mode === 'well' ? Promise.resolve() : Promise.reject(new Error('no'));
    },
  });
  /** Heartbeats that all bring the same order, for so long. */
  const beat = async (outgoing: boolean, ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += HEARTBEAT_MS) {
      protection.follow(outgoing);
      await settle();
      clock.run(HEARTBEAT_MS);
    }
  };
  return { protection, agent, asked, beat, metrics };
}

const minutesOf = (asked: readonly { readonly minutes: number | undefined }[]) => asked.map(({ minutes }) => minutes);

describe('the protection of a task', () => {
  it('is not asked for while no deploy takes over', async () => {
    const { asked, beat } = aProtection();

    await beat(false, 24 * 60 * MINUTE_MS);

    expect(asked).toEqual([]);
  });

  it('is set with the first order, renewed long before it expires, and lifted once with the last', async () => {
    const { asked, beat } = aProtection();

    await beat(true, 25 * MINUTE_MS);
    await beat(false, 60 * MINUTE_MS);

    expect(asked).toEqual([
      { atMs: 0, minutes: 30 },
      { atMs: 10 * MINUTE_MS, minutes: 30 },
      { atMs: 20 * MINUTE_MS, minutes: 30 },
      { atMs: 25 * MINUTE_MS, minutes: undefined },
    ]);
  });

  it('is set anew in the next deploy', async () => {
    const { asked, beat } = aProtection();

    for (const outgoing of [true, false, true, false]) await beat(outgoing, MINUTE_MS);

    expect(minutesOf(asked)).toEqual([30, undefined, 30, undefined]);
  });

  it('is over within two hours, however long a deploy takes', async () => {
    const { asked, beat } = aProtection();

    await beat(true, 24 * 60 * MINUTE_MS);

    const last = asked.at(-1);
    expect(last?.minutes).toBe(30);
    expect((last?.atMs ?? 0) + 30 * MINUTE_MS).toBeLessThanOrEqual(120 * MINUTE_MS);
  });

  it('is asked for again where the agent refuses, at first in five seconds, then ever more rarely', async () => {
    const { agent, asked, beat, metrics } = aProtection();
    agent.mode = 'refuses';

    await beat(true, 4 * MINUTE_MS);
    const times = asked.map(({ atMs }) => atMs / 1_000);
    agent.mode = 'well';
    await beat(true, 2 * MINUTE_MS);

    expect(times).toEqual([0, 5, 15, 35, 75, 135, 195]);
    expect(metrics.totalOf('TaskProtectionFailed', { step: 'protect' })).toBe(7);
    expect(asked).toHaveLength(8);
  });

  it('is lifted also where nobody knows whether it was set, since an answer may be lost', async () => {
    const { agent, asked, beat } = aProtection();
    agent.mode = 'refuses';
    await beat(true, HEARTBEAT_MS);
    agent.mode = 'well';

    await beat(false, MINUTE_MS);

    expect(minutesOf(asked)).toEqual([30, undefined]);
  });

  it('that cannot be lifted ends by itself: nobody asks any more then', async () => {
    const { agent, asked, beat } = aProtection();
    await beat(true, MINUTE_MS);
    agent.mode = 'refuses';

    await beat(false, 3 * 60 * MINUTE_MS);

    expect(asked.at(-1)?.atMs).toBeLessThanOrEqual(30 * MINUTE_MS);
    expect(asked.length).toBeLessThan(40);
  });

  it('is asked for once at a time, and not at all by a worker that drains', async () => {
    const { agent, asked, beat, protection } = aProtection();
    agent.mode = 'silent';
    await beat(true, MINUTE_MS);
    const whileSilent = asked.length;
    const other = aProtection();
    other.protection.stop();
    await other.beat(true, MINUTE_MS);
    protection.stop();

    expect(whileSilent).toBe(1);
    expect(other.asked).toEqual([]);
  });
});
