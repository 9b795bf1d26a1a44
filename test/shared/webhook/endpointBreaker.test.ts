import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  admit,
  afterAttempt,
  CLOSED,
  endpointBreakerRule,
  openDurationMs,
  stateOf,
  TRIAL_HELD_MS,
  type Admission,
  type BreakerChange,
  type EndpointBreaker,
} from '../../../shared/webhook/endpointBreaker.ts';

const NOW = 1_000_000;
const failing = (failures: number): EndpointBreaker => ({ ...CLOSED, failures });
const until = (openUntilMs: number, failures = 5): EndpointBreaker => ({ failures, openUntilMs });

describe('the breaker of an endpoint', () => {
  it.each<[string, EndpointBreaker, string, Admission]>([
    ['closed', CLOSED, 'closed', { admission: 'post' }],
    ['closed, after failures', failing(4), 'closed', { admission: 'post' }],
    ['open', until(NOW + 400), 'open', { admission: 'wait', waitMs: 400 }],
    ['half open, at the moment', until(NOW), 'half_open', { admission: 'trial', seen: NOW }],
    ['half open, long after', until(NOW - 9_000), 'half_open', { admission: 'trial', seen: NOW - 9_000 }],
  ])('%s', (_name, breaker, state, admission) => {
    expect(stateOf(breaker, NOW)).toBe(state);
    expect(admit(breaker, NOW)).toEqual(admission);
  });

  it.each<[string, EndpointBreaker, number | undefined, 'success' | 'failure', BreakerChange | undefined]>([
    ['a success of many writes nothing', CLOSED, undefined, 'success', undefined],
    ['a success after failures forgets them', failing(3), undefined, 'success', { change: 'forget' }],
    ['a failure is counted', failing(3), undefined, 'failure', { change: 'count', openMs: 5_000 }],
    [
      'a trial that fails opens it again, for twice as long',
      until(9),
      77,
      'failure',
      { change: 'set', held: 77, to: until(NOW + 10_000, 6) },
    ],
    ['the first trial that succeeds closes it', until(9), 77, 'success', { change: 'set', held: 77, to: CLOSED }],
  ])('%s', (_name, breaker, held, outcome, change) => {
    const end = { succeeded: outcome === 'success', retryAfterMs: 0, nowMs: NOW, jitter: 1 };

    expect(afterAttempt(breaker, held, end)).toEqual(change);
  });

  it('opens for 5 s at first, doubles, and never for more than a minute unless the receiver asks', () => {
    const failures = [1, 5, 6, 7, 8, 9, 10, 100, 1_000_000];
    const asked = { succeeded: false, retryAfterMs: 600_000, nowMs: NOW, jitter: 0 };

    expect(failures.map((count) => openDurationMs(count, 1))).toEqual([
      5_000, 5_000, 10_000, 20_000, 40_000, 60_000, 60_000, 60_000, 60_000,
    ]);
    expect(openDurationMs(5, 0)).toBe(4_000);
    expect(afterAttempt(until(9), 77, asked)).toEqual({ change: 'set', held: 77, to: until(NOW + 600_000, 6) });
  });

  it('never posts while open, nor two trials at once, however many functions run side by side', () => {
    const step = fc.record({
      by: fc.integer({ min: 0, max: 4 }),
      passMs: fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 70_000 })),
      succeeds: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const record = new EndpointRecord();
        const running = new Map<number, Attempt>();
        const wrong: string[] = [];
        let nowMs = NOW;
        for (const { by, passMs, succeeds } of steps) {
          nowMs += passMs;
          // A function that runs for too long is ended.
          for (const [id, { beganMs }] of running) if (nowMs - beganMs >= TRIAL_HELD_MS) running.delete(id);
          const attempt = running.get(by);
          if (attempt !== undefined) {
            running.delete(by);
            record.apply(
              afterAttempt(attempt.read, attempt.held, { succeeded: succeeds, retryAfterMs: 0, nowMs, jitter: 0.5 }),
              nowMs,
            );
            continue;
          }
          const read = record.breaker;
          const admission = admit(read, nowMs);
          if (admission.admission === 'wait') continue;
          if (read.openUntilMs !== undefined && read.openUntilMs > nowMs) wrong.push('posted while open');
          const held = admission.admission === 'trial' ? record.take(admission.seen, nowMs) : undefined;
          if (held === undefined && admission.admission === 'trial') continue;
          running.set(by, { read, held, beganMs: nowMs });
          const trials = [...running.values()].filter((each) => each.held !== undefined);
          if (trials.length > 1) wrong.push('two trials at once');
        }
        expect(wrong).toEqual([]);
      }),
    );
  });
});

interface Attempt {
  readonly read: EndpointBreaker;
  readonly held: number | undefined;
  readonly beganMs: number;
}

/** The endpoint's record with the conditions of the store. */
class EndpointRecord {
  breaker: EndpointBreaker = CLOSED;

  take(seen: number, nowMs: number): number | undefined {
    if (this.breaker.openUntilMs !== seen) return undefined;
    const held = Math.max(nowMs + TRIAL_HELD_MS, seen + 1);
    this.breaker = { ...this.breaker, openUntilMs: held };
    return held;
  }

  apply(change: BreakerChange | undefined, nowMs: number): void {
    if (change === undefined) return;
    if (change.change === 'set') {
      if (this.breaker.openUntilMs === change.held) this.breaker = change.to;
    } else if (this.breaker.openUntilMs === undefined) {
      const failures = change.change === 'forget' ? 0 : this.breaker.failures + 1;
      const isOpen = change.change === 'count' && failures >= endpointBreakerRule.failures;
      this.breaker = { failures, openUntilMs: isOpen ? nowMs + change.openMs : undefined };
    }
  }
}
