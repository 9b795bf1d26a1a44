import { describe, expect, it } from 'vitest';
import { toldOf } from '../golden.ts';
import { choices, offers } from './interactiveMessages.ts';

describe('a message with options', () => {
  it.each(offers)('shows its words and all that can be chosen, with ids: %s', (_what, message, expected) => {
    expect(toldOf(message)).toEqual(expected);
  });

  it.each(choices)('is answered by what was chosen, with its id: %s', (_what, message, expected) => {
    expect(toldOf(message)).toEqual(expected);
  });

  it('says that it was cut where there is too much of it', () => {
    const rows = Array.from({ length: 500 }, (_, index) => ({ rowId: `${index}`, title: 'x'.repeat(500) }));
    const cut = toldOf({ listMessage: { description: 'y'.repeat(100_000), sections: [{ rows }] } })?.content;

    expect(cut).toMatchObject({ type: 'interactive', interactive: { type: 'list', truncated: true } });
    expect(JSON.stringify(cut).length).toBeLessThan(60_000);
  });
});
