import { describe, expect, it } from 'vitest';
import { holds, medianOf, partsOf, rows, stepTable, tableOf, withSums } from './messagesFigures.ts';

const rowOf = (figure: string) => {
  const row = rows.find((entry) => entry.figure === figure);
  if (row === undefined) throw new Error(`there is no row ${figure}`);
  return row;
};

describe('figures of the bench of messages', () => {
  it.each<readonly [figure: string, value: number, isMet: boolean | undefined]>([
    ['acceptedPerSecond', 250, true],
    ['acceptedPerSecond', 249.9, false],
    ['answerP99Ms', 120, true],
    ['answerP99Ms', 121, false],
    ['lost', 1, false],
    ['deliveredPerSecond', 1, undefined],
    ['answerP50Ms', Number.NaN, undefined],
  ])('judges %s of %d', (figure, value, isMet) => {
    const verdict = holds(rowOf(figure), { [figure]: value });

    expect(verdict).toBe(isMet);
  });

  it('takes the middle of each figure by itself, and the most of what must not happen', () => {
    const rounds = [3, 1, 2].map((value) => ({ answerP50Ms: value, sendLost: value, lost: value }));

    const median = medianOf(rounds);

    expect(median).toEqual({ answerP50Ms: 2, sendLost: 3, lost: 3 });
  });

  it('adds up what went wrong, pairings apart, and what a send takes until it is read', () => {
    const figures = withSums({ sendLost: 1, in30Lost: 2, pairLost: 9, sendWriteUnits: 6, readWriteUnits: 4 });

    expect(figures).toMatchObject({ lost: 3, doubled: 0, outOfOrder: 0, sendReadWriteUnits: 10 });
    expect(figures).not.toHaveProperty('sendReadReadUnits');
  });

  it('shows what was measured, beside an earlier run and the floor', () => {
    const lines = tableOf({ before: { restMb: 900 }, now: { restMb: 400 }, floor: { restMb: 200 } });

    expect(lines).toHaveLength(3);
    expect(lines[2]).toMatch(/all processes, MB \| 900 +\| 400 \| 200 +\| 2\.00 +\| ≤ 450 \| holds \|$/);
  });

  it('shows what each asks of the stores, an earlier run before it, and nobody who asks for nothing', () => {
    const lines = stepTable(
      { sendCalls: 38, 'sendCalls:api': 8 },
      { sendCalls: 9, 'sendCalls:api': 2, 'sendCalls:watchdog': 0.001 },
    );

    expect(
      lines.slice(2).map((line) =>
        line
          .split('|')
          .slice(2, 4)
          .map((cell) => cell.trim()),
      ),
    ).toEqual([
      ['all', '38.00 → 9.00'],
      ['api', '8.00 → 2.00'],
    ]);
  });

  it('gives the parts of a figure, the largest first', () => {
    const parts = partsOf({ restMb: 5, 'restMb:worker': 2, 'restMb:stack': 3, 'restMbOther:x': 9 }, 'restMb');

    expect(parts).toEqual([
      ['stack', 3],
      ['worker', 2],
    ]);
  });
});
