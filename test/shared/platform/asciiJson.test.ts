import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toAsciiBody, toAsciiJson } from '../../../shared/platform/asciiJson.ts';

describe('JSON for a queue', () => {
  it('always is ASCII and says the same, whatever characters are in it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'binary' })),
        fc.array(fc.integer({ min: 0, max: 0xffff })),
        (texts, units) => {
          const value = { texts, units: String.fromCharCode(...units) };

          const body = toAsciiJson(value);

          expect(/^[\x20-\x7e]*$/.test(body)).toBe(true);
          expect(JSON.parse(body)).toEqual(value);
        },
      ),
    );
  });

  it('writes a body again that came in other characters, and leaves what is no JSON', () => {
    expect(toAsciiBody('{"a":"😀"}')).toBe('{"a":"\\ud83d\\ude00"}');
    expect(toAsciiBody('😀')).toBe('😀');
  });
});
