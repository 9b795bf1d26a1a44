import { describe, expect, it } from 'vitest';
import { stanzaHead } from '../../../../worker/socket/wire/stanzaHead.ts';

const LONG = 'x'.repeat(1_000_000);

describe('what is kept of a message that waits', () => {
  it('is who sent it, and when, without its content', () => {
    const attrs = { id: '3A', from: '1@g.us', participant: '2@lid', t: '1790000000', notify: 'Ann', type: 'text' };

    expect(stanzaHead({ tag: 'message', attrs, content: [{ tag: 'enc', attrs: {} }] })).toEqual({
      tag: 'message',
      attrs,
    });
  });

  it('is small, whatever its attributes hold, and well-formed', () => {
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`x${index}`, LONG]));
    const attrs = { ...many, id: '3A', notify: `${'x'.repeat(511)}\u{1f600}${LONG}`, type: LONG };

    const head = JSON.stringify(stanzaHead({ tag: 'message', attrs }));

    expect(head.length).toBeLessThan(2_000);
    expect(head).not.toContain(String.raw`\ud83d`);
  });

  it('is nothing where the id is longer than any', () => {
    expect(stanzaHead({ tag: 'message', attrs: { id: LONG } })).toBeUndefined();
  });
});
