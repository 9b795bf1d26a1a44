import { describe, expect, it } from 'vitest';
import { Recipients } from '../../../../worker/socket/sending/recipients.ts';

const WEEK_MS = 7 * 24 * 60 * 60 * 1_000;
const jid = (user: number | string): string => `${user}@s.whatsapp.net`;

/** Everybody has an account but `nobody`; says who was asked for. */
function someRecipients(mapped: readonly string[] = []) {
  const asked: string[] = [];
  const time = { nowMs: 1 };
  const recipients = new Recipients(
    {
      getKeys: async (_type, ids) =>
        Object.fromEntries(ids.filter((id) => mapped.includes(id)).map((id) => [id, 'lid'])) as never,
    },
    {
      onWhatsApp: async (...to) => {
        asked.push(...to);
        return to.map((each) => ({ jid: each, exists: !each.startsWith('nobody') }));
      },
    },
    { queryTimeoutMs: 1_000, monotonicMs: () => time.nowMs },
  );
  return { recipients, asked, time };
}

describe('recipients', () => {
  it('are asked for once; groups, LIDs and people whose LID is known are not asked for', async () => {
    const { recipients, asked } = someRecipients(['2']);

    const found = [];
    for (const to of [jid(1), jid(1), jid(2), '3@lid', '4@g.us']) found.push(await recipients.resolve(to));

    expect(found).toEqual([jid(1), jid(1), jid(2), '3@lid', '4@g.us']);
    expect(asked).toEqual([jid(1)]);
  });

  it('without an account are asked for each time, so that a new account is found', async () => {
    const { recipients, asked } = someRecipients();

    const found = [await recipients.resolve(jid('nobody')), await recipients.resolve(jid('nobody'))];

    expect(found).toEqual([undefined, undefined]);
    expect(asked).toHaveLength(2);
  });

  it('are asked for again after a week', async () => {
    const { recipients, asked, time } = someRecipients();
    await recipients.resolve(jid(1));
    time.nowMs += WEEK_MS;
    await recipients.resolve(jid(1));
    const within = asked.length;
    time.nowMs += 1;

    await recipients.resolve(jid(1));

    expect([within, asked.length]).toEqual([1, 2]);
  });

  it('are remembered up to 2,000: those who were written to least recently are asked for again', async () => {
    const { recipients, asked } = someRecipients();
    for (let user = 0; user < 2_001; user += 1) await recipients.resolve(jid(user));
    asked.length = 0;

    await recipients.resolve(jid(2_000));
    await recipients.resolve(jid(1));
    await recipients.resolve(jid(0));

    expect(asked).toEqual([jid(0)]);
  });
});
