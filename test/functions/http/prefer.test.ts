import { describe, expect, it } from 'vitest';
import { readPrefer } from '../../../functions/http/prefer.ts';

describe('the header Prefer', () => {
  it.each<[string | undefined, number | undefined]>([
    [undefined, undefined],
    ['', undefined],
    ['wait=0', 0],
    ['wait=25', 25],
    ['WAIT=7', 7],
    ['wait="9"', 9],
    ['wait = 3', 3],
    ['respond-async', 0],
    ['respond-async, wait=10', 10],
    ['return=minimal, wait=4; note="x"', 4],
    ['wait=4, wait=8', 4],
    ['handling=lenient', undefined],
    [',,;', undefined],
  ])('%j asks for a wait of %s seconds', (header, seconds) => {
    expect(readPrefer(header).waitSeconds).toBe(seconds);
  });

  it.each([
    'wait',
    'wait=',
    'wait=26',
    'wait=-1',
    'wait=1.5',
    'wait=1e1',
    'wait=ten',
    'wait=0x1',
    'wait=1000',
    'wait= ',
  ])('%j is refused', (header) => {
    expect(() => readPrefer(header)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
  });
});
