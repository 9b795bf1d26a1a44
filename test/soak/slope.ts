import type { Residue } from './residue.ts';

/** What a process held at one moment of a soak. */
export interface Sample extends Residue {
  readonly atMinutes: number;
}

export interface SlopeVerdict {
  readonly what: string;
  /** Growth per hour, by the line that fits best. */
  readonly perHour: number;
  readonly most: number;
  /** Between the least and the most that was seen; so much is no growth, however short the soak. */
  readonly band: number;
  readonly mostBand: number;
  readonly holds: boolean;
}

/** Share of the samples that is left out: what is compiled and cached grows first. */
const WARM_UP_SHARE = 1 / 3;
const MB = 1_024 * 1_024;
/** Growth per hour that counts as none: noise of a heap in use, and of counts that go up and down with the churn. */
const MOST_PER_HOUR: Readonly<Record<Exclude<keyof Residue, 'handles'>, number>> = {
  bytes: 24 * MB,
  timers: 30,
  listeners: 0,
  sockets: 30,
  sessions: 30,
};

/** Growth of `values` per unit of `times`, by least squares; 0 for fewer than two points in time. */
export function slopeOf(times: readonly number[], values: readonly number[]): number {
  const mean = (numbers: readonly number[]): number => numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
  const [middle, level] = [mean(times), mean(values)];
  let [rise, run] = [0, 0];
  for (const [at, time] of times.entries()) {
    rise += (time - middle) * ((values[at] ?? 0) - level);
    run += (time - middle) ** 2;
  }
  return run === 0 ? 0 : rise / run;
}

/** Judges what grew over a soak. A count that never left a band as wide as its bound has not grown, however short the soak. */
export function judgeSoak(samples: readonly Sample[]): readonly SlopeVerdict[] {
  const settled = samples.slice(Math.floor(samples.length * WARM_UP_SHARE));
  const hours = settled.map(({ atMinutes }) => atMinutes / 60);
  return (Object.keys(MOST_PER_HOUR) as (keyof typeof MOST_PER_HOUR)[]).map((what) => {
    const values = settled.map((sample) => sample[what]);
    const perHour = slopeOf(hours, values);
    const most = MOST_PER_HOUR[what];
    const band = Math.max(...values) - Math.min(...values);
    const mostBand = BANDS[what];
    return { what, perHour, most, band, mostBand, holds: perHour <= most || band <= mostBand };
  });
}

/** What a count may differ between two samples because something was just opened or closed. */
const BANDS: typeof MOST_PER_HOUR = { bytes: 4 * MB, timers: 3, listeners: 0, sockets: 3, sessions: 3 };
