import { describe, expect, it } from 'vitest';
import { attributesOf, judgeRefusal, toStreamPlaceRow } from '../../../shared/event/streamPlaceRow.ts';

const NOW_MS = 1_000_000;
const ours = (count: number) => ['ours', { count, untilMs: NOW_MS + 1 }] as const;
const others = (count: number, untilMs: number) => ['others', { count, untilMs }] as const;

describe('a write to the row of streams that was refused', () => {
  it.each([
    {
      name: 'because the row has another number of this process',
      row: { total: 3, processes: new Map([ours(3)]) },
      stored: 2,
      because: { because: 'other_number', count: 3 },
    },
    {
      name: 'because the row has nothing of this process any more',
      row: { total: 0, processes: new Map() },
      stored: 2,
      because: { because: 'other_number', count: 0 },
    },
    {
      name: 'while the time of another process is over',
      row: { total: 20, processes: new Map([ours(2), others(18, NOW_MS)]) },
      stored: 2,
      because: { because: 'dead', dead: [{ process: 'others', count: 18, untilMs: NOW_MS }] },
    },
    {
      name: 'because there is room for fewer',
      row: { total: 17, processes: new Map([ours(2), others(15, NOW_MS + 1)]) },
      stored: 2,
      because: { because: 'full', room: 3 },
    },
    {
      name: 'because there is none',
      row: { total: 20, processes: new Map([others(20, NOW_MS + 1)]) },
      stored: 0,
      because: { because: 'full', room: 0 },
    },
  ])('is understood: $name', ({ row, stored, because }) => {
    expect(judgeRefusal(row, { process: 'ours', stored, most: 20, nowMs: NOW_MS })).toEqual(because);
  });

  it('is read from the attributes of each process', () => {
    const { count, until } = attributesOf('ours');
    const item = { pk: 'p', sk: 's', ttl: 5, total: 2, [count]: 2, [until]: NOW_MS };

    expect(toStreamPlaceRow(item)).toEqual({
      total: 2,
      processes: new Map([['ours', { count: 2, untilMs: NOW_MS }]]),
    });
  });
});
