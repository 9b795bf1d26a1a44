import { describe, expect, it } from 'vitest';
import { toBlockFacts } from '../../../../worker/socket/wire/blockFacts.ts';

const item = (attrs: Record<string, string>) => ({ tag: 'item', attrs });
const notice = (items: ReturnType<typeof item>[], attrs: Record<string, string> = { id: '7', t: '1790000000' }) => ({
  tag: 'notification',
  attrs: { type: 'account_sync', ...attrs },
  content: [{ tag: 'blocklist', attrs: {}, content: items }],
});

describe('a notice of whom the account has blocked', () => {
  it('is a fact for each person, with both names and a key of its own', () => {
    const facts = toBlockFacts(
      notice([
        item({ action: 'block', jid: '222@lid', pn_jid: '49151@s.whatsapp.net' }),
        item({ action: 'unblock', jid: '333@lid' }),
      ]),
    );

    expect(facts).toMatchObject([
      { contact: '222@lid', contactAlias: '49151@s.whatsapp.net', blocked: true, atMs: 1_790_000_000_000 },
      { contact: '333@lid', blocked: false },
    ]);
    expect(facts[0]?.key).not.toBe(facts[1]?.key);
  });

  it('tells nothing of what is no person, is neither, or cannot be told apart', () => {
    const odd = [{ action: 'block', jid: '1@g.us' }, { action: 'x', jid: '222@lid' }, { action: 'block' }].map(
      (attrs) => item(attrs as Record<string, string>),
    );

    expect(toBlockFacts(notice(odd))).toEqual([]);
    expect(toBlockFacts(notice([item({ action: 'block', jid: '222@lid' })], {}))).toEqual([]);
    expect(toBlockFacts({ tag: 'notification', attrs: { id: '7' } })).toEqual([]);
  });

  it('is bounded', () => {
    const many = Array.from({ length: 5_000 }, (_, index) => item({ action: 'block', jid: `${1_000 + index}@lid` }));

    expect(toBlockFacts(notice(many))).toHaveLength(100);
  });
});
