import { describe, expect, it } from 'vitest';
import { inkOn } from '../../../functions/pairingPage/browser/inkOn.ts';

const luminanceOf = (color: string): number => {
  const parts = [1, 3, 5].map((from) => Number.parseInt(color.slice(from, from + 2), 16) / 255);
  const [red = 0, green = 0, blue = 0] = parts.map((part) =>
    part <= 0.040_45 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4,
  );
  return 0.212_6 * red + 0.715_2 * green + 0.072_2 * blue;
};

describe('the text on the colour of a brand', () => {
  it.each([
    ['#000000', '#ffffff'],
    ['#ffffff', '#000000'],
    ['#ffd400', '#000000'],
    ['#0a6b52', '#ffffff'],
  ])('on %s is %s', (color, ink) => {
    expect(inkOn(color)).toBe(ink);
  });

  it('can always be read: its contrast is at least 4.5', () => {
    for (let step = 0; step <= 0xff_ff_ff; step += 9_973) {
      const color = `#${step.toString(16).padStart(6, '0')}`;
      const [darker = 0, lighter = 0] = [luminanceOf(color), luminanceOf(inkOn(color))].toSorted((a, b) => a - b);

      expect((lighter + 0.05) / (darker + 0.05)).toBeGreaterThanOrEqual(4.5);
    }
  });
});
