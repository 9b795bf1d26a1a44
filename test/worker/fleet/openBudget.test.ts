import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OpenBudget } from '../../../worker/fleet/openBudget.ts';
import { FakeClock, settle } from '../runner/fakes.ts';

const never = new AbortController().signal;

function aBudget(options: Partial<{ perSecond: number; burst: number; handshakes: number }> = {}) {
  const clock = new FakeClock();
  return { clock, budget: new OpenBudget(clock, { perSecond: 10, burst: 2, handshakes: 100, ...options }) };
}

describe('open budget', () => {
  it('lets a burst pass at once and then keeps to the rate', async () => {
    const { clock, budget } = aBudget({ perSecond: 10, burst: 2 });
    let opened = 0;
    for (let turn = 0; turn < 5; turn += 1) void budget.acquire(never).then(() => (opened += 1));

    await settle();
    const atOnce = opened;
    await clock.pass(100);
    const afterOneTurn = opened;
    await clock.pass(200);

    expect([atOnce, afterOneTurn, opened]).toEqual([2, 3, 5]);
  });

  it('keeps of its burst what is in proportion when the rate is lowered, and lets no more pass at once', async () => {
    const { clock, budget } = aBudget({ perSecond: 10, burst: 50 });
    budget.setRate(1);
    let opened = 0;
    for (let turn = 0; turn < 20; turn += 1) void budget.acquire(never).then(() => (opened += 1));

    await settle();
    const atOnce = opened;
    await clock.pass(3_000);

    expect([atOnce, opened]).toEqual([5, 8]);
  });

  it('holds no more handshakes at once than it may, until one is given back', async () => {
    const { clock, budget } = aBudget({ burst: 5, handshakes: 1 });
    const release = await budget.acquire(never);
    let opened = false;
    void budget.acquire(never).then(() => (opened = true));

    await clock.pass(10_000);
    const before = opened;
    release();
    await settle();

    expect([before, opened]).toEqual([false, true]);
  });

  it('gives a slot back once, however often that is said', async () => {
    const { budget } = aBudget({ burst: 5, handshakes: 2 });
    const release = await budget.acquire(never);
    await budget.acquire(never);
    let opened = 0;

    release();
    release();
    for (let turn = 0; turn < 2; turn += 1) void budget.acquire(never).then(() => (opened += 1));
    await settle();

    expect(opened).toBe(1);
  });

  it('lets nobody in while it is paused, whatever comes back meanwhile, and goes on in order after it', async () => {
    const { clock, budget } = aBudget({ perSecond: 10, burst: 3, handshakes: 2 });
    const release = await budget.acquire(never);
    const opened: string[] = [];
    budget.setPaused(true);
    void budget.acquire(never).then(() => opened.push('first'));
    void budget.acquire(never).then(() => opened.push('second'));

    release();
    await clock.pass(60_000);
    const whilePaused = [...opened];
    const waiting = budget.waiting;
    budget.setPaused(false);
    await settle();

    expect([whilePaused, waiting]).toEqual([[], 2]);
    expect(opened).toEqual(['first', 'second']);
  });

  it('leaves no timer behind once its worker has ended', async () => {
    const clock = new FakeClock();
    const ended = new AbortController();
    const budget = new OpenBudget(clock, { perSecond: 1, burst: 1, handshakes: 9 }, ended.signal);
    await budget.acquire(never);
    let opened = false;
    void budget.acquire(never).then(() => (opened = true));

    const before = clock.sleeping;
    ended.abort();
    await clock.pass(10_000);

    expect([before, clock.sleeping, opened]).toEqual([1, 0, false]);
  });

  it('lets whoever aborts go at once, and the next one take its turn', async () => {
    const { clock, budget } = aBudget({ perSecond: 10, burst: 1 });
    await budget.acquire(never);
    const aborting = new AbortController();
    const leaving = budget.acquire(aborting.signal);
    let opened = false;
    void budget.acquire(never).then(() => (opened = true));

    aborting.abort(new Error('not wanted any more'));
    await expect(leaving).rejects.toThrow('not wanted any more');
    await clock.pass(100);

    expect(opened).toBe(true);
  });

  it('keeps to the share that the leader gives it, and never opens faster than its own setting', async () => {
    const { clock, budget } = aBudget({ perSecond: 10, burst: 1 });
    let opened = 0;
    for (let turn = 0; turn < 50; turn += 1) void budget.acquire(never).then(() => (opened += 1));
    budget.setRate(1);
    await clock.pass(3_000);
    const asTold = opened;
    const waiting = budget.waiting;
    budget.setRate(1_000);
    await clock.pass(1_000);
    const atMost = opened - asTold;
    budget.setRate(undefined);
    await clock.pass(1_000);

    expect(asTold).toBeLessThanOrEqual(5);
    expect(waiting).toBe(50 - asTold);
    expect(atMost).toBeLessThanOrEqual(11);
    expect(opened - asTold - atMost).toBeLessThanOrEqual(11);
  });

  it('refuses a signal that is already aborted', async () => {
    const { budget } = aBudget();

    await expect(budget.acquire(AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
  });

  it('never exceeds its rate or its handshakes, and serves in the order of coming', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('ask' as const) }),
      fc.record({ kind: fc.constant('abort' as const), which: fc.nat() }),
      fc.record({ kind: fc.constant('release' as const) }),
      fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 400 }) }),
    );
    const options = fc.record({
      perSecond: fc.integer({ min: 1, max: 50 }),
      burst: fc.integer({ min: 1, max: 5 }),
      handshakes: fc.integer({ min: 1, max: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(options, fc.array(step, { maxLength: 40 }), async (rule, steps) => {
        const { clock, budget } = aBudget(rule);
        const opened: { readonly number: number; readonly atMs: number }[] = [];
        const releases: (() => void)[] = [];
        const asked: AbortController[] = [];
        let inFlight = 0;
        let mostInFlight = 0;
        for (const taken of steps) {
          if (taken.kind === 'ask') {
            const number = asked.length;
            const controller = new AbortController();
            asked.push(controller);
            budget.acquire(controller.signal).then(
              (release) => {
                opened.push({ number, atMs: clock.monotonicMs() });
                releases.push(release);
                inFlight += 1;
                mostInFlight = Math.max(mostInFlight, inFlight);
              },
              () => undefined,
            );
          }
          if (taken.kind === 'abort') asked[taken.which % Math.max(1, asked.length)]?.abort(new Error('aborted'));
          if (taken.kind === 'release' && releases.length > 0) {
            inFlight -= 1;
            releases.shift()?.();
          }
          if (taken.kind === 'pass') await clock.pass(taken.ms);
          await settle();
        }

        expect(mostInFlight).toBeLessThanOrEqual(rule.handshakes);
        expect(opened.map(({ number }) => number)).toEqual(opened.map(({ number }) => number).sort((a, b) => a - b));
        for (const [first, { atMs: fromMs }] of opened.entries()) {
          for (const [more, { atMs: toMs }] of opened.slice(first).entries()) {
            expect(more + 1).toBeLessThanOrEqual(rule.burst + ((toMs - fromMs) / 1_000) * rule.perSecond + 1e-6);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});
