import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  drawMaxAgeMs,
  judgeVitals,
  noComplaints,
  type VitalSample,
  type Verdict,
} from '../../../worker/vitals/vitalSigns.ts';
import { findMemoryLimit } from '../../../worker/vitals/vitalsSource.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;
const rules = { maxAgeMs: 7 * DAY_MS, fullShare: 0.75, recycleShare: 0.8, drainShare: 0.95, loopDelayLimitMs: 200 };
const calm: VitalSample = { memoryShare: 0.5, loopDelayMs: 5, ageMs: DAY_MS };
const well: Verdict = { full: false, recycle: 'none', drainsNow: false, mayOpen: true };

/** The verdict after each of these samples; what is left out is calm. */
function judgeAll(...samples: readonly Partial<VitalSample>[]): readonly Verdict[] {
  let memory = noComplaints;
  return samples.map((sample) => {
    const judged = judgeVitals(memory, { ...calm, ...sample }, rules);
    memory = judged.memory;
    return judged.verdict;
  });
}
const row = (length: number, sample: Partial<VitalSample>): readonly Partial<VitalSample>[] =>
  Array<Partial<VitalSample>>(length).fill(sample);

describe('the vital signs of a worker', () => {
  it.each<{ sample: Partial<VitalSample>; verdict: Partial<Verdict>; why: string }>([
    { why: 'a calm one is well', sample: {}, verdict: {} },
    { why: 'at 75 % of its memory it is still well', sample: { memoryShare: 0.75 }, verdict: {} },
    { why: 'above 75 % it takes no more', sample: { memoryShare: 0.76 }, verdict: { full: true } },
    { why: 'at 80 % it asks for nothing yet', sample: { memoryShare: 0.8 }, verdict: { full: true } },
    {
      why: 'above 80 % it asks to be replaced',
      sample: { memoryShare: 0.81 },
      verdict: { full: true, recycle: 'memory' },
    },
    {
      why: 'at 95 % it still waits for its turn',
      sample: { memoryShare: 0.95 },
      verdict: { full: true, recycle: 'memory' },
    },
    {
      why: 'above 95 % it drains without asking',
      sample: { memoryShare: 0.96 },
      verdict: { full: true, recycle: 'memory', drainsNow: true },
    },
    { why: 'at 200 ms its loop is not late', sample: { loopDelayMs: 200 }, verdict: {} },
    {
      why: 'with a late loop it opens nothing and takes no more',
      sample: { loopDelayMs: 201 },
      verdict: { full: true, mayOpen: false },
    },
    { why: 'just before its time it is not old', sample: { ageMs: 7 * DAY_MS - 1 }, verdict: {} },
    { why: 'at its time it asks to be replaced', sample: { ageMs: 7 * DAY_MS }, verdict: { recycle: 'age' } },
    {
      why: 'memory comes before age',
      sample: { ageMs: 8 * DAY_MS, memoryShare: 0.9 },
      verdict: { full: true, recycle: 'memory' },
    },
  ])('after three samples: $why', ({ sample, verdict }) => {
    expect(judgeAll(...row(3, sample)).at(-1)).toEqual({ ...well, ...verdict });
  });

  it('do nothing about a spike of two samples, however high', () => {
    const spike = { memoryShare: 1, loopDelayMs: 0 };

    const verdicts = judgeAll(...row(2, spike), {}, ...row(2, spike), {}, ...row(2, spike));

    expect(verdicts).toEqual(Array.from({ length: 8 }, () => well));
  });

  it('keep a complaint until three samples in a row are better', () => {
    const verdicts = judgeAll(...row(3, { memoryShare: 0.9 }), {}, {}, { memoryShare: 0.9 }, {}, {}, {});

    expect(verdicts.slice(2).map(({ recycle }) => recycle)).toEqual([...Array<string>(6).fill('memory'), 'none']);
  });

  it('stop opens with the third sample of a late loop in a row, and resume them with the first that is not', () => {
    const late = { loopDelayMs: 500 };
    const verdicts = judgeAll(late, late, {}, late, late, late, {}, late);

    expect(verdicts.map(({ mayOpen }) => mayOpen)).toEqual([true, true, true, true, true, false, true, false]);
    expect(verdicts.map(({ full }) => full)).toEqual([false, false, false, false, false, true, true, true]);
  });

  it('ask for old age until the end', () => {
    const verdicts = judgeAll({ ageMs: 7 * DAY_MS }, { ageMs: 30 * DAY_MS, memoryShare: 0.1 });

    expect(verdicts.map(({ recycle }) => recycle)).toEqual(['age', 'age']);
  });

  it('always drain only after three samples in a row above the limit, and then only if the last ones were', () => {
    const anySample = fc.record({
      memoryShare: fc.double({ min: 0, max: 1.2, noNaN: true }),
      loopDelayMs: fc.double({ min: 0, max: 1_000, noNaN: true }),
      ageMs: fc.integer({ min: 0, max: 20 * DAY_MS }),
    });
    fc.assert(
      fc.property(fc.array(anySample, { maxLength: 30 }), (samples) => {
        const verdicts = judgeAll(...samples);

        for (const [index, { drainsNow, recycle, full }] of verdicts.entries()) {
          const last = samples.slice(Math.max(0, index - 2), index + 1).map(({ memoryShare }) => memoryShare);
          const areHigh = last.length === 3 && last.every((share) => share > 0.95);
          const areLow = last.length === 3 && last.every((share) => share <= 0.95);
          const wasDraining = verdicts[index - 1]?.drainsNow === true;

          expect(drainsNow).toBe(areHigh || (wasDraining && !areLow));
          expect(recycle === 'age' && (samples[index]?.ageMs ?? 0) < 7 * DAY_MS).toBe(false);
          expect(areHigh && !full).toBe(false);
        }
      }),
    );
  });
});

describe('the age at which a worker is old', () => {
  it.each([
    { jitter: 0, days: 6.3 },
    { jitter: 0.5, days: 7 },
    { jitter: 1, days: 7.7 },
  ])('is $days days for a chance of $jitter', ({ jitter, days }) => {
    expect(drawMaxAgeMs(7 * DAY_MS, jitter) / DAY_MS).toBeCloseTo(days, 6);
  });
});

describe('the memory limit of a process', () => {
  it.each([
    { constrained: 2_000, total: 8_000, limit: 2_000, why: 'is that of its container' },
    { constrained: 0, total: 8_000, limit: 8_000, why: 'is the machine where Node knows of none' },
    { constrained: 2 ** 64, total: 8_000, limit: 8_000, why: 'is the machine where the container has none' },
  ])('$why', ({ constrained, total, limit }) => {
    expect(findMemoryLimit(constrained, total)).toBe(limit);
  });
});
