import { describe, expect, it } from 'vitest';
import type { Fact } from '../../../../shared/event/facts/factRows.ts';
import { hearNotice } from '../../../../worker/socket/inbound/notices.ts';

const ME = ['49151@s.whatsapp.net', '111@lid'];

describe('a notice of whom the account has blocked', () => {
  const factsOf = async (from: string): Promise<readonly Fact[]> => {
    const facts: Fact[] = [];
    const item = { tag: 'item', attrs: { action: 'block', jid: '333@lid' } };
    const stanza = {
      tag: 'notification',
      attrs: { type: 'account_sync', id: '7', t: '1790000000', from },
      content: [{ tag: 'blocklist', attrs: {}, content: [item] }],
    };
    await hearNotice(stanza, {
      publish: async (told) => void facts.push(...told),
      people: { isMe: (jid) => ME.includes(jid), welcomeNewSession: async () => undefined },
      members: { forget: () => undefined },
      appState: { notice: () => 'taken' },
      files: { hear: async () => undefined },
    });
    return facts;
  };

  it.each([...ME, '49151:3@s.whatsapp.net', 's.whatsapp.net', ''])('is told where it comes from %s', async (from) => {
    expect(await factsOf(from)).toMatchObject([{ kind: 'contact_change', contact: '333@lid', blocked: true }]);
  });

  it.each(['49152@s.whatsapp.net', '222@lid', '222:4@lid'])('is nobody’s word where it comes from %s', async (from) => {
    expect(await factsOf(from)).toEqual([]);
  });
});
