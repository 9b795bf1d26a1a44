import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { forTerminal } from '../../../shared/kernel/forTerminal.ts';

describe('a text for a terminal', () => {
  it('holds nothing that a terminal obeys, and is as long as before', () => {
    const looks = fc.property(fc.string({ unit: 'binary' }), (text) => {
      const shown = forTerminal(`\u001B[2J\u202E${text}`);
      expect(shown).not.toMatch(/[\p{Cc}\u202A-\u202E\u2066-\u2069]/u);
      expect(shown).toHaveLength(text.length + 5);
    });
    expect(() => fc.assert(looks)).not.toThrow();
  });

  it.each(['Shop 👩🏽‍🚀', 'दुकान', 'متجر'])('shows what people write as it is: %s', (text) => {
    expect(forTerminal(text)).toBe(text);
  });
});
