import { describe, expect, it } from 'vitest';
import { itemBytes, readUnits, writeUnits } from './itemBytes.ts';

describe('size of an item', () => {
  it.each<readonly [what: string, item: Record<string, unknown>, bytes: number]>([
    ['names and text in UTF-8', { pk: 'ä', s: 'abc' }, 2 + 2 + 1 + 3],
    ['numbers by their digits', { n: 12_345 }, 1 + 4],
    ['bytes as they are', { body: new Uint8Array(100) }, 104],
    ['containers with their elements', { l: ['ab', true] }, 1 + 3 + 1 + 2 + 1 + 1],
  ])('counts %s', (_what, item, bytes) => {
    expect(itemBytes(item)).toBe(bytes);
  });

  it('bills writes by the kilobyte and reads by four', () => {
    expect([writeUnits(0), writeUnits(1_024), writeUnits(1_025)]).toEqual([1, 1, 2]);
    expect([readUnits(0), readUnits(4_096), readUnits(4_097)]).toEqual([1, 1, 2]);
  });
});
