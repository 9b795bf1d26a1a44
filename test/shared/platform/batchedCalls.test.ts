import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { VirtualTime } from '../../simulation/virtualTime.ts';
import { BatchedCalls, lingerMs, nextGapMs, type BatchRules } from '../../../shared/platform/batchedCalls.ts';
import { eventually } from '../../eventually.ts';

const rules: BatchRules = { entries: 3, bytes: 100, callsAtOnce: 1, callsMost: 2, slowMs: 60_000, lingerMs: 0 };
const tooLarge = new Error('too large');

/** Calls that are answered when the test says so. */
const aCollector = (given: Partial<BatchRules> = {}) => {
  const calls: {
    readonly entries: readonly string[];
    readonly answer: PromiseWithResolvers<ReadonlyMap<number, Error>>;
  }[] = [];
  const batched = new BatchedCalls<string>({
    clock: systemClock,
    rules: { ...rules, ...given },
    isRefused: (error) => error === tooLarge,
    call: (entries) => {
      const answer = Promise.withResolvers<ReadonlyMap<number, Error>>();
      calls.push({ entries, answer });
      return answer.promise;
    },
  });
  const accept = async (place: number): Promise<void> => {
    await eventually(() => expect(calls.length).toBeGreaterThan(place));
    calls[place]?.answer.resolve(new Map());
  };
  const carried = () => calls.map(({ entries }) => entries.join(''));
  return { batched, calls, carried, accept };
};

describe('calls that carry what many send one by one', () => {
  it('leave at once, and take along together what came while one was out', async () => {
    const { batched, carried, accept } = aCollector();

    const sent = ['a', 'b', 'c', 'd', 'e'].map((entry) => batched.send(entry, 1));
    for (const place of [0, 1, 2]) await accept(place);
    await Promise.all(sent);

    expect(carried()).toEqual(['a', 'bcd', 'e']);
  });

  it('carry no more bytes than they may, and an entry that is larger alone', async () => {
    const { batched, carried, accept } = aCollector();

    const sent = (
      [
        ['a', 1],
        ['b', 60],
        ['c', 60],
        ['d', 200],
        ['e', 1],
      ] as const
    ).map(([entry, bytes]) => batched.send(entry, bytes));
    for (const place of [0, 1, 2, 3, 4]) await accept(place);
    await Promise.all(sent);

    expect(carried()).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('hold up only what is in them when they hang', async () => {
    const { batched, carried, accept } = aCollector({ slowMs: 20 });
    const giveUp = new AbortController();

    const hung = batched.send('hung', 1, giveUp.signal);
    const next = batched.send('next', 1);
    await accept(1);
    await next;
    giveUp.abort(new Error('its deadline'));

    await expect(hung).rejects.toThrow('its deadline');
    expect(carried()).toEqual(['hung', 'next']);
  });

  it('take nothing along that its caller has given up', async () => {
    const { batched, carried, accept } = aCollector();
    const giveUp = new AbortController();

    const first = batched.send('first', 1);
    const given = batched.send('given up', 1, giveUp.signal);
    const last = batched.send('last', 1);
    giveUp.abort(new Error('enough'));
    await expect(given).rejects.toThrow('enough');
    await accept(0);
    await accept(1);
    await Promise.all([first, last]);

    expect(carried()).toEqual(['first', 'last']);
  });

  it('wait for others until their time is over, also where a call ends meanwhile', async () => {
    const time = new VirtualTime();
    const clock = {
      monotonicMs: () => time.nowMs,
      sleep: (durationMs: number) => new Promise<void>((resolve) => time.after(durationMs, resolve)),
    };
    const carried: number[] = [];
    const batched = new BatchedCalls<number>({
      clock,
      rules: { ...rules, entries: 10, callsAtOnce: 2, lingerMs: 10 },
      isRefused: () => false,
      call: async (entries) => {
        carried.push(entries.length);
        await clock.sleep(3);
        return new Map();
      },
    });

    for (let count = 0; count < 100; count += 1) time.after(count * 4, () => void batched.send(count, 1));
    await time.run(1_000);

    expect(carried.reduce((sum, count) => sum + count, 0)).toBe(100);
    // In 10 ms come two more of them.
    expect(carried.slice(-20)).toEqual(Array.from({ length: 20 }, () => 3));
  });

  it('always settle each entry once, as the call that carried it last did', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ verdict: fc.constantFrom('taken', 'refused', 'poison'), delay: fc.nat({ max: 3 }) })),
        fc.integer({ min: 1, max: 3 }),
        async (entries, callsAtOnce) => {
          const accepted: number[] = [];
          const batched = new BatchedCalls<number>({
            clock: systemClock,
            rules: { ...rules, callsAtOnce, callsMost: 3 },
            isRefused: (error) => error === tooLarge,
            call: async (places) => {
              for (let turn = entries[places[0] ?? 0]?.delay ?? 0; turn > 0; turn -= 1) await Promise.resolve();
              if (places.length > 1 && places.some((place) => entries[place]?.verdict === 'poison')) throw tooLarge;
              const failures = new Map<number, Error>();
              for (const [at, place] of places.entries()) {
                if (entries[place]?.verdict === 'taken') accepted.push(place);
                else failures.set(at, tooLarge);
              }
              return failures;
            },
          });

          const results = await Promise.allSettled(entries.map((_, place) => batched.send(place, 1)));

          const taken = entries.flatMap(({ verdict }, place) => (verdict === 'taken' ? [place] : []));
          expect(accepted.toSorted((left, right) => left - right)).toEqual(taken);
          expect(results.flatMap(({ status }, place) => (status === 'fulfilled' ? [place] : []))).toEqual(taken);
        },
      ),
    );
  });
});

describe('the wait for others', () => {
  it('is made only where another entry is likely to come meanwhile', () => {
    expect(lingerMs(5, 8)).toBe(5);
    expect(lingerMs(5, 20)).toBe(0);
    expect(lingerMs(0, 1)).toBe(0);
  });

  it('begins within a few entries after a rest, and ends with the first ones that come slowly', () => {
    let gapMs = nextGapMs(Infinity, 60_000);
    for (let count = 0; count < 40; count += 1) gapMs = nextGapMs(gapMs, 2);
    expect(gapMs).toBeLessThan(5);
    expect(nextGapMs(gapMs, 200)).toBeGreaterThan(20);
  });
});
