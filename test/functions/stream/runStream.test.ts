import { describe, expect, it } from 'vitest';
import { Feeds } from '../../../functions/stream/feeds.ts';
import {
  BEAT_MS,
  endStream,
  runStream,
  type StreamControl,
  type StreamParts,
} from '../../../functions/stream/runStream.ts';
import { StreamReader } from '../../../functions/stream/streamReader.ts';
import { startOf } from '../../../shared/event/eventCursor.ts';
import type { TenantId } from '../../../shared/kernel/id.ts';
import type { StopSignal } from '../../../shared/kernel/clock.ts';
import { silentLogger } from '../../../shared/platform/logger.ts';
import { makeTestClock } from '../../shared/event/testClock.ts';

const tenantId = 'tnt_01K3C4ZQ7R9T1V3X5Z7B9D1F3H' as TenantId;
const MINUTE_MS = 60_000;

/** A stream on a log that is empty, or that cannot be read; its clock goes on by what is slept. */
function aStream({
  canBeRead = true,
  keep = 'held',
  isStillOpen = () => Promise.resolve(true),
}: {
  canBeRead?: boolean;
  keep?: 'held' | 'lost';
  isStillOpen?: StreamParts['isStillOpen'];
} = {}) {
  const moving = makeTestClock();
  const clock = {
    ...moving,
    sleep: (durationMs: number) => {
      moving.advance(Number.isFinite(durationMs) ? durationMs : 0);
      return Promise.resolve();
    },
  };
  const table = {
    send: () =>
      canBeRead ? Promise.resolve({ Responses: {}, UnprocessedKeys: {} }) : Promise.reject(new Error('no answer')),
  } as never;
  const dependencies = { table, stage: 'test', clock, logger: silentLogger };
  // The feed stands still: nothing but the stream itself moves the clock.
  const still = {
    ...clock,
    sleep: (_durationMs: number, stop?: StopSignal) =>
      new Promise<void>((resolve) => stop?.addEventListener('abort', resolve)),
  };
  const feeds = new Feeds({ ...dependencies, clock: still, lookEveryMs: 1_000 });
  const control: StreamControl = { ending: undefined, wait: undefined };
  const written: string[] = [];
  const told: number[] = [];
  const parts: StreamParts = {
    clock,
    logger: silentLogger,
    reader: new StreamReader(dependencies, feeds, { tenantId, from: startOf(0), filters: [], isResumed: false }),
    places: { keep: () => Promise.resolve(keep) },
    place: { tenantId, isHeld: true },
    lookEveryMs: 1_000,
    lastsMs: 14 * MINUTE_MS,
    isStillOpen,
    told: () => told.push(clock.monotonicMs()),
    fields: {},
  };
  return { parts, control, clock, written, told };
}

describe('a stream on which nothing happens', () => {
  it('says each 15 seconds that it is there, tells how many there are each 30, and ends after 14 minutes', async () => {
    const { parts, control, written, told, clock } = aStream();
    const atMs: number[] = [];
    const reason = await runStream(parts, control, {
      write: (text) => {
        written.push(text);
        atMs.push(clock.monotonicMs());
        return Promise.resolve('taken');
      },
    });
    const beats = written.filter((text) => text.startsWith(': beat'));
    const waits = atMs.slice(1).map((at, index) => at - (atMs[index] ?? 0));

    expect([reason, written[0]]).toEqual(['time', expect.stringMatching(/^retry: 1000\nid: \S+\n\n$/)]);
    expect(written.at(-1)).toMatch(/^event: end\ndata: \{"reason":"time"/);
    expect(beats.length).toBeGreaterThan(50);
    expect(Math.max(...waits)).toBeLessThanOrEqual(BEAT_MS + 1_000);
    expect(told.length).toBeGreaterThanOrEqual(26);
  });
});

describe('a stream', () => {
  it.each(['slow', 'gone'] as const)('reads no more when its client is %s', async (answer) => {
    const { parts, control } = aStream();
    const reason = await runStream(parts, control, { write: () => Promise.resolve(answer) });

    expect(reason).toBe(answer === 'slow' ? 'slow_reader' : 'gone');
  });

  it('ends within 23 seconds when its key opens nothing any more, and says so', async () => {
    const revokedAtMs = 60_000;
    const { parts, control, written, clock } = aStream({
      isStillOpen: () => Promise.resolve(clock.monotonicMs() < revokedAtMs),
    });
    const reason = await runStream(parts, control, {
      write: (text) => {
        written.push(text);
        return Promise.resolve('taken');
      },
    });

    expect([reason, written.at(-1)]).toEqual(['key_ended', expect.stringContaining('"reason":"key_ended"')]);
    expect(clock.monotonicMs() - revokedAtMs).toBeLessThanOrEqual(1.5 * BEAT_MS + 500);
  });

  it('goes on while it is not known whether its key still opens it', async () => {
    const { parts, control } = aStream({ isStillOpen: () => Promise.reject(new Error('no answer')) });

    expect(await runStream(parts, control, { write: () => Promise.resolve('taken') })).toBe('time');
  });

  it('ends when the log cannot be read, and says so', async () => {
    const { parts, control, written } = aStream({ canBeRead: false });
    const reason = await runStream(parts, control, {
      write: (text) => {
        written.push(text);
        return Promise.resolve('taken');
      },
    });

    expect([reason, written.at(-1)]).toEqual(['unavailable', expect.stringContaining('"reason":"unavailable"')]);
  });

  it('ends when its place was given to another', async () => {
    const { parts, control } = aStream({ keep: 'lost' });

    expect(await runStream(parts, control, { write: () => Promise.resolve('taken') })).toBe('place_lost');
  });

  it('ends for one reason, the first', async () => {
    const { parts, control } = aStream();
    endStream(control, 'draining');
    endStream(control, 'gone');

    expect(await runStream(parts, control, { write: () => Promise.resolve('taken') })).toBe('draining');
  });
});
