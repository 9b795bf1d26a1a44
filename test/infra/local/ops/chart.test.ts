import { describe, expect, it } from 'vitest';

interface Line {
  readonly points: readonly (number | null)[];
}
interface Figure {
  readonly limit?: { readonly label: string; readonly value: number };
  readonly lines: readonly Line[];
}
interface Figures {
  readonly at: string;
  readonly dashboards: readonly { readonly figures: readonly Figure[] }[];
}
interface Chart {
  readonly isBeyond: (figure: Figure) => boolean;
  readonly isSilent: (figure: Figure) => boolean;
  readonly toWholeMinutes: (figures: Figures) => Figures;
}

// The page is of JavaScript, as browsers take it, and has no types.
const path = '../../../../infra/local/ops/chart.js';
const { isBeyond, isSilent, toWholeMinutes } = (await import(path)) as Chart;

const promised = { label: 'promised', value: 99 };
const after = (points: Line['points'], limit: Figure['limit'] = promised): Figure | undefined =>
  toWholeMinutes({ at: '2026-08-01T12:00:30.000Z', dashboards: [{ figures: [{ limit, lines: [{ points }] }] }] })
    .dashboards[0]?.figures[0];

describe('the charts at /ops', () => {
  it('show whole minutes alone, up to the one before', () => {
    const { at, dashboards } = toWholeMinutes({
      at: '2026-08-01T12:00:30.000Z',
      dashboards: [{ figures: [{ lines: [{ points: [1, 2, 3] }] }] }],
    });

    expect(at).toBe('2026-08-01T11:59:30.000Z');
    expect(dashboards[0]?.figures[0]?.lines[0]?.points).toEqual([1, 2]);
  });

  it.each<readonly [what: string, points: Line['points'], isIt: boolean]>([
    ['a minute that is not over', [null, null, 50], false],
    ['a minute that is not over, behind good ones', [100, 100, 50], false],
    ['the last whole minute', [100, 50, 100], true],
    ['a minute with a gap behind it', [50, null, null], true],
    ['no minute', [null, null, null], false],
  ])('are beyond a floor by %s: %s', (_what, points, isIt) => {
    const figure = after(points);

    expect(figure !== undefined && isBeyond(figure)).toBe(isIt);
  });

  it('are beyond a ceiling by what is above it, and silent where no whole minute has a value', () => {
    const [high, silent] = [after([4_000, 1], { label: 'at most', value: 3_000 }), after([null, 7])];

    expect(high !== undefined && isBeyond(high)).toBe(true);
    expect(silent !== undefined && isSilent(silent)).toBe(true);
  });
});
