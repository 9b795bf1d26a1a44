import { deflateRawSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toStoredTexts, toTexts } from '../../../shared/event/packedTexts.ts';

describe('the texts of a page', () => {
  it('come back as they were given, whatever they say', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 400 }), { maxLength: 30 }), (texts) => {
        expect(toTexts(toStoredTexts(texts))).toEqual(texts);
      }),
    );
  });

  it('are packed where they would cost more than one write unit, and take less room then', () => {
    const text = JSON.stringify({ type: 'message.received', data: { text: { body: 'Has my order left? 🙂' } } });
    const many = Array.from({ length: 40 }, (_, place) => `${text}${place}`);

    expect(toStoredTexts([text])).toEqual({ events: [text] });
    const stored = toStoredTexts(many);
    expect('packed' in stored && stored.packed.length).toBeLessThan(many.join('').length / 4);
  });

  it('are none in a void, and those of a row that unpacks to more than any page has are refused', () => {
    expect(toTexts({})).toBeUndefined();
    const bomb = deflateRawSync(Buffer.alloc(8 * 1_024 * 1_024));
    expect(() => toTexts({ packed: bomb })).toThrow('Cannot create a Buffer larger than');
  });
});
