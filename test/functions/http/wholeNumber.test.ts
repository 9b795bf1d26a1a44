import { describe, expect, it } from 'vitest';
import { wholeNumber } from '../../../functions/http/wholeNumber.ts';

describe('a whole number in a query', () => {
  it.each([
    ['1', 1],
    ['100', 100],
    ['007', 7],
  ])('is read from digits: %s', (text, number) => {
    expect(wholeNumber(1, 100).parse(text)).toBe(number);
  });

  it.each(['', ' ', '0', '101', '1e1', '0x10', '1.0', '1.5', '-1', '+1', ' 5', '٥', 'Infinity', '9'.repeat(400)])(
    'is not read from %j',
    (text) => {
      expect(wholeNumber(1, 100).safeParse(text).success).toBe(false);
    },
  );

  it('is left out where the schema has a default', () => {
    expect(wholeNumber(1, 100).default(50).parse(undefined)).toBe(50);
  });
});
