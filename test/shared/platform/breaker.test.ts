import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Breaker, BreakerOpenError, type BreakerRule, type BreakerVerdict } from '../../../shared/platform/breaker.ts';
import { breakerRules, makeBreakers } from '../../../shared/platform/breakers.ts';
import { makeLogger } from '../../../shared/platform/logger.ts';
import { keepingMetrics } from './keepingMetrics.ts';

const rule = { failures: 5, openMs: 60_000, successes: 2, reason: 'of the table' } as const;

function aBreaker(given: BreakerRule = rule) {
  let nowMs = 1_000;
  const changes: string[] = [];
  const breaker = new Breaker('something', given, {
    clock: { monotonicMs: () => nowMs },
    onChange: (state) => changes.push(state),
  });
  return { breaker, changes, pass: (durationMs: number) => (nowMs += durationMs) };
}

const made = { calls: 0 };
/** One call that turns out like this; says `refused` when it was not made. */
async function call(breaker: Breaker, verdict: BreakerVerdict): Promise<string> {
  try {
    return await breaker.execute(
      async () => {
        made.calls += 1;
        if (verdict !== 'answered') throw new Error(verdict);
        return 'answered';
      },
      () => verdict,
    );
  } catch (error) {
    return error instanceof BreakerOpenError ? 'refused' : (error as Error).message;
  }
}

async function calls(breaker: Breaker, ...verdicts: readonly BreakerVerdict[]): Promise<readonly string[]> {
  const outcomes: string[] = [];
  for (const verdict of verdicts) outcomes.push(await call(breaker, verdict));
  return outcomes;
}

const FIVE = ['failed', 'failed', 'failed', 'failed', 'failed'] as const;

describe('a breaker', () => {
  it('opens at the fifth failure in a row, and makes no call while it is open', async () => {
    const { breaker, changes } = aBreaker();

    await calls(breaker, ...FIVE);
    const before = made.calls;
    const outcomes = await calls(breaker, 'answered', 'failed');

    expect(outcomes).toEqual(['refused', 'refused']);
    expect(made.calls).toBe(before);
    expect(changes).toEqual(['open']);
  });

  it('counts failures in a row: an answer, also one that refuses, begins anew', async () => {
    const { breaker } = aBreaker();

    await calls(breaker, 'failed', 'failed', 'failed', 'failed', 'answered', 'failed', 'failed', 'failed', 'failed');

    expect(breaker.state).toBe('closed');
  });

  it('takes a call that never reached the other side for nothing at all', async () => {
    const { breaker } = aBreaker();

    await calls(breaker, 'failed', 'failed', 'nothing', 'nothing', 'failed', 'failed');
    const closed = breaker.state;
    await calls(breaker, 'failed');

    expect([closed, breaker.state]).toEqual(['closed', 'open']);
  });

  it('tries after its time, and closes after two successes', async () => {
    const { breaker, changes, pass } = aBreaker();
    await calls(breaker, ...FIVE);

    pass(rule.openMs - 1);
    const early = await call(breaker, 'answered');
    pass(1);
    const outcomes = await calls(breaker, 'answered', 'answered', 'answered');

    expect(early).toBe('refused');
    expect(outcomes).toEqual(['answered', 'answered', 'answered']);
    expect(changes).toEqual(['open', 'half_open', 'closed']);
  });

  it.each(['failed', 'nothing'] as const)('opens again for as long when a trial has %s to show', async (verdict) => {
    const { breaker, changes, pass } = aBreaker();
    await calls(breaker, ...FIVE);

    pass(rule.openMs);
    await calls(breaker, 'answered', verdict);
    const waitMs = breaker.waitMs();

    expect(waitMs).toBe(rule.openMs);
    expect(changes).toEqual(['open', 'half_open', 'open']);
  });

  it('lets one trial run at a time, and refuses the others at once', async () => {
    const { breaker, pass } = aBreaker();
    await calls(breaker, ...FIVE);
    pass(rule.openMs);
    const answer = Promise.withResolvers<string>();

    const trial = breaker.execute(
      () => answer.promise,
      () => 'answered',
    );
    const others = await calls(breaker, 'answered', 'answered');
    answer.resolve('at last');

    expect(others).toEqual(['refused', 'refused']);
    expect(await trial).toBe('at last');
    expect(await call(breaker, 'answered')).toBe('answered');
  });

  it('learns nothing from the failure of a call that began before it opened', async () => {
    const { breaker, pass } = aBreaker();
    const answer = Promise.withResolvers<string>();
    const late = breaker
      .execute(
        () => answer.promise,
        () => 'failed',
      )
      .catch(() => 'it failed');
    await calls(breaker, ...FIVE);
    pass(rule.openMs);
    await calls(breaker, 'answered');

    answer.reject(new Error('time out'));

    expect(await late).toBe('it failed');
    expect(breaker.state).toBe('half_open');
  });

  it('never makes a call while open, never two trials at once, and always tries again in time (whatever happens)', async () => {
    const step = fc.oneof(
      fc.record({ what: fc.constant('begin' as const) }),
      fc.record({
        what: fc.constant('end' as const),
        verdict: fc.constantFrom<BreakerVerdict>('answered', 'failed', 'nothing'),
      }),
      fc.record({ what: fc.constant('pass' as const), durationMs: fc.integer({ min: 1, max: 90 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
        const { breaker, pass } = aBreaker({ ...rule, failures: 3, openMs: 60 });
        const wrong: string[] = [];
        const running: {
          readonly trial: boolean;
          readonly end: (verdict: BreakerVerdict) => void;
          readonly over: Promise<void>;
        }[] = [];
        for (const next of steps) {
          if (next.what === 'pass') pass(next.durationMs);
          else if (next.what === 'end') {
            const ending = running.shift();
            ending?.end(next.verdict);
            await ending?.over;
          } else {
            const { state } = breaker;
            const mustWait = breaker.waitMs() > 0;
            const ended = Promise.withResolvers<BreakerVerdict>();
            let begun = false;
            let verdict: BreakerVerdict = 'nothing';
            const over = breaker
              .execute(
                async () => {
                  begun = true;
                  verdict = await ended.promise;
                },
                () => verdict,
              )
              .catch(() => undefined);
            const trial = state !== 'closed';
            if (begun) running.push({ trial, end: ended.resolve, over });
            if (begun === mustWait) wrong.push(mustWait ? 'called while it should wait' : 'refused without a reason');
            if (running.filter((each) => each.trial).length > 1) wrong.push('two trials at once');
          }
        }
        for (const { end, over } of running) {
          end('answered');
          await over;
        }
        pass(60);
        expect(wrong).toEqual([]);
        expect(await calls(breaker, 'answered', 'answered')).toEqual(['answered', 'answered']);
        expect(breaker.state).toBe('closed');
      }),
    );
  });
});

describe('the breakers of a process', () => {
  it('open after five failures and close after two successes, and ask a store of ours again within seconds', () => {
    for (const { failures, successes, openMs } of Object.values(breakerRules)) {
      expect([failures, successes]).toEqual([5, 2]);
      expect(openMs).toBeLessThanOrEqual(5_000);
    }
  });

  it('log and count each change once, and show their states', async () => {
    let nowMs = 0;
    const lines: string[] = [];
    const metrics = keepingMetrics();
    const logger = makeLogger('test', 'info', { write: (line) => void lines.push(line) });
    const breakers = makeBreakers({ clock: { monotonicMs: () => nowMs }, logger, metrics });

    await calls(breakers.of('sqs'), ...FIVE, 'failed', 'failed');
    const open = breakers.states();
    nowMs += breakerRules.sqs.openMs;
    await calls(breakers.of('sqs'), 'answered', 'answered');

    expect(open).toEqual({ sqs: 'open' });
    expect(breakers.states()).toEqual({ sqs: 'closed' });
    expect(metrics.totalOf('BreakerOpened', { dependency: 'sqs' })).toBe(1);
    expect(metrics.valuesOf('BreakerState').at(-1)).toBe(0);
    expect(lines.map((line) => (JSON.parse(line) as { message: string }).message)).toEqual([
      'breaker opened',
      'breaker closed',
    ]);
    expect(lines[0]).toContain('"dependency":"sqs"');
  });
});
