import { describe, expect, it } from 'vitest';
import { judge } from './expectations.ts';
import { measure, type Measures } from './measures.ts';

const good = measure({
  faultAtMs: 0,
  overAtMs: 0,
  sends: [],
  writes: [],
  shown: [],
  told: [],
  spans: {},
  conflicts: {},
  counts: { overlap: 0, resent: 0, undecryptable: 0, retryRequests: 0 },
  deadLetters: 0,
  attempts: [],
});
const brokenOf = (measures: Partial<Measures>, limits = {}) =>
  judge({ ...good, ...measures }, limits).filter(({ holds }) => !holds);

describe('expectations', () => {
  it('hold when nothing went wrong', () => {
    expect(brokenOf({})).toEqual([]);
  });

  it.each([
    ['overlap', { overlap: 1 }],
    ['lost out', { lostOut: 1 }],
    ['lost in', { lostIn: 1 }],
    ['duplicates out', { duplicates: 1 }],
    ['repeats in', { repeatsIn: 1 }],
    ['out of order out', { outOfOrderOut: 1 }],
    ['out of order in', { outOfOrderIn: 1 }],
    ['closed at the end', { closed: 1 }],
    ['dead letters', { deadLetters: 1 }],
    ['no first send', { unsent: 1 }],
  ])('are broken by %s in any case', (name, measures) => {
    expect(brokenOf(measures)).toEqual([{ expected: `${name} ≤ 0`, found: '1', holds: false }]);
  });

  it('excuse what the case allows, up to its limit', () => {
    const limits = { replaced: 2, gapP50Ms: 2_000 };
    const gapMs = { p50: 2_001, p99: 9_000, max: 9_000 };

    expect(brokenOf({ replaced: 2, gapMs: { ...gapMs, p50: 2_000 } }, limits)).toEqual([]);
    expect(brokenOf({ replaced: 3, gapMs }, limits).map(({ expected, found }) => [expected, found])).toEqual([
      ['replaced ≤ 2', '3'],
      ['gap p50 ≤ 2.0 s', '2.0 s'],
    ]);
  });
});
