import type { Measures } from './measures.ts';

/** What a case may cost at most. */
export interface Limits {
  readonly replaced?: number;
  readonly replacedPerConnection?: number;
  readonly reconnected?: number;
  readonly openP50Ms?: number;
  readonly openMaxMs?: number;
  readonly backMs?: number;
  readonly gapP50Ms?: number;
  readonly gapP99Ms?: number;
  readonly opensPerSecond?: number;
}

export interface Verdict {
  /** What was expected, for example `lost out ≤ 0`. */
  readonly expected: string;
  readonly found: string;
  readonly holds: boolean;
}

type Unit = 'count' | 'ms';
type Expectation = readonly [name: string, unit: Unit, value: (measures: Measures) => number];

const FIRST_SEND_MS = 30_000;

/** What no fault excuses, with the most that it may be. */
const always: readonly (readonly [...Expectation, most: number])[] = [
  ['overlap', 'count', ({ overlap }) => overlap, 0],
  ['lost out', 'count', ({ lostOut }) => lostOut, 0],
  ['lost in', 'count', ({ lostIn }) => lostIn, 0],
  ['duplicates out', 'count', ({ duplicates }) => duplicates, 0],
  ['repeats in', 'count', ({ repeatsIn }) => repeatsIn, 0],
  ['out of order out', 'count', ({ outOfOrderOut }) => outOfOrderOut, 0],
  ['out of order in', 'count', ({ outOfOrderIn }) => outOfOrderIn, 0],
  ['closed at the end', 'count', ({ closed }) => closed, 0],
  ['dead letters', 'count', ({ deadLetters }) => deadLetters, 0],
  ['first send max', 'ms', ({ firstSendMs }) => firstSendMs.max, FIRST_SEND_MS],
  ['no first send', 'count', ({ unsent }) => unsent, 0],
];

const limited: Readonly<Record<keyof Limits, Expectation>> = {
  replaced: ['replaced', 'count', ({ replaced }) => replaced],
  replacedPerConnection: ['replaced per connection', 'count', ({ replacedPerConnection }) => replacedPerConnection],
  reconnected: ['reconnected', 'count', ({ reconnected }) => reconnected],
  openP50Ms: ['open p50', 'ms', ({ openMs }) => openMs.p50],
  openMaxMs: ['open max', 'ms', ({ openMs }) => openMs.max],
  backMs: ['all back', 'ms', ({ backMs }) => backMs],
  gapP50Ms: ['gap p50', 'ms', ({ gapMs }) => gapMs.p50],
  opensPerSecond: ['opens in a second', 'count', ({ opensPerSecond }) => opensPerSecond],
  gapP99Ms: ['gap p99', 'ms', ({ gapMs }) => gapMs.p99],
};

/** Holds what was measured against what is always expected and what this case may cost. */
export function judge(measures: Measures, limits: Limits): readonly Verdict[] {
  const own = Object.entries(limits).map(([name, most]) => [...limited[name as keyof Limits], most as number] as const);
  return [...always, ...own].map(([name, unit, value, most]) => {
    const found = value(measures);
    return { expected: `${name} ≤ ${show(most, unit)}`, found: show(found, unit), holds: found <= most };
  });
}

function show(value: number, unit: Unit): string {
  return unit === 'count' ? String(value) : `${(value / 1_000).toFixed(1)} s`;
}
