import { describe, expect, it } from 'vitest';
import { judgeSoak, slopeOf, type Sample } from './slope.ts';

const MB = 1_024 * 1_024;
const FLAT: Omit<Sample, 'atMinutes'> = {
  bytes: 80 * MB,
  timers: 40,
  handles: 35,
  listeners: 12,
  sockets: 30,
  sessions: 30,
};

const growing = (of: (minute: number) => Partial<Sample>): readonly string[] =>
  judgeSoak(Array.from({ length: 30 }, (_, minute) => ({ ...FLAT, atMinutes: minute, ...of(minute) })))
    .filter(({ holds }) => !holds)
    .map(({ what }) => what);

describe('growth over a soak', () => {
  it.each<readonly [what: string, of: (minute: number) => Partial<Sample>]>([
    ['bytes', (minute) => ({ bytes: FLAT.bytes + minute * MB })],
    ['timers', (minute) => ({ timers: 40 + minute })],
    ['listeners', (minute) => ({ listeners: 12 + Math.floor(minute / 10) })],
    ['sockets', (minute) => ({ sockets: 30 + minute })],
    ['sessions', (minute) => ({ sessions: 30 + minute })],
  ])('sees that %s grow', (what, of) => {
    const found = growing(of);

    expect(found).toEqual([what]);
  });

  it('takes going up and down for no growth', () => {
    const found = growing((minute) => ({
      bytes: FLAT.bytes + (minute % 2) * 10 * MB,
      timers: 40 + (minute % 3),
      sockets: 30 + (minute % 2),
    }));

    expect(found).toEqual([]);
  });

  it('leaves the warm-up out', () => {
    const found = growing((minute) => ({ bytes: FLAT.bytes + Math.min(minute, 8) * 4 * MB }));

    expect(found).toEqual([]);
  });

  it('is 0 where there is nothing to compare', () => {
    const slopes = [slopeOf([], []), slopeOf([1], [5])];

    expect(slopes).toEqual([0, 0]);
  });
});
