import type { GroupMetadata } from '@whiskeysockets/baileys';
import { beforeEach, describe, expect, it } from 'vitest';
import { Budgets } from '../../../../worker/socket/port/budgets.ts';
import { GroupMembers } from '../../../../worker/socket/people/groupMembers.ts';

const GROUP = '120363000000000001@g.us';
const ANN = { id: '222@lid', phoneNumber: '49151@s.whatsapp.net' };
const BOB = { id: '333@lid', phoneNumber: '49152@s.whatsapp.net' };

describe('who is in a group', () => {
  let nowMs: number;
  let asked: number;
  let answer: () => readonly { readonly id: string; readonly phoneNumber: string }[];
  let members: GroupMembers;
  beforeEach(() => {
    [nowMs, asked] = [0, 0];
    answer = () => [ANN];
    members = new GroupMembers({
      ask: async () => {
        asked += 1;
        return { participants: answer() } as unknown as GroupMetadata;
      },
      timeoutMs: 1_000,
      monotonicMs: () => nowMs,
    });
  });
  const away = (): never => {
    throw new Error('429');
  };

  it('is asked once, known by either name, and believed for five minutes', async () => {
    const found = [
      await members.find(GROUP, [ANN.id]),
      await members.find(GROUP, [undefined, ANN.phoneNumber]),
      await members.find(GROUP, [BOB.id, BOB.phoneNumber]),
    ];
    nowMs = 5 * 60_000;
    answer = () => [BOB];
    const later = await members.find(GROUP, [ANN.id]);

    expect(found).toEqual(['member', 'member', 'not_a_member']);
    expect(later).toBe('not_a_member');
    expect(asked).toBe(2);
  });

  it('is asked anew when somebody came or went', async () => {
    await members.find(GROUP, [ANN.id]);
    answer = () => [BOB];
    members.forget(GROUP);

    expect(members.known(GROUP, [ANN.id])).toBe('unknown');
    expect(await members.find(GROUP, [ANN.id])).toBe('not_a_member');
  });

  it('is unknown when WhatsApp does not tell, which is not asked again for half a minute', async () => {
    answer = away;
    const found = [await members.find(GROUP, [ANN.id]), await members.find(GROUP, [ANN.id])];
    nowMs = 30_000;
    answer = () => [ANN];

    expect(found).toEqual(['unknown', 'unknown']);
    expect(await members.find(GROUP, [ANN.id])).toBe('member');
    expect(asked).toBe(2);
  });

  it('is what it was when WhatsApp does not tell now and no change was told of', async () => {
    await members.find(GROUP, [ANN.id]);
    nowMs = 60 * 60_000;
    answer = away;

    expect(await members.find(GROUP, [ANN.id])).toBe('member');
    expect(await members.find(GROUP, [BOB.id])).toBe('not_a_member');
  });
});

describe('a group to which messages go', () => {
  const bothOf = (members: () => readonly object[]) => {
    let [asked, nowMs] = [0, 0];
    const groups = new GroupMembers({
      ask: async () => {
        asked += 1;
        return { participants: members(), desc: 'text' } as unknown as GroupMetadata;
      },
      timeoutMs: 1_000,
      monotonicMs: () => nowMs,
    });
    return { groups, asked: () => asked, at: (ms: number) => (nowMs = ms) };
  };

  it('is asked about once an hour, and without its description it is kept', async () => {
    const { groups, asked, at } = bothOf(() => [ANN]);
    for (let message = 0; message < 100; message += 1) await groups.forSending(GROUP);
    const forHundred = asked();
    const kept = groups.knownForSending(GROUP);
    at(60 * 60_000);

    expect(forHundred).toBe(1);
    expect(kept).toEqual({ participants: [ANN] });
    expect(groups.knownForSending(GROUP)).toBeUndefined();
    await groups.forSending(GROUP);
    expect(asked()).toBe(2);
  });

  it('is asked about anew when it has changed, also where that was told while it was asked about', async () => {
    let members: readonly object[] = [ANN];
    const { groups, asked } = bothOf(() => {
      const answer = members;
      // The change is told before the answer has come.
      if (members.length === 1) groups.forget(GROUP);
      members = [ANN, BOB];
      return answer;
    });

    const first = await groups.forSending(GROUP);
    const second = await groups.forSending(GROUP);
    const third = await groups.forSending(GROUP);

    expect([first, second, third].map(({ participants }) => participants.length)).toEqual([1, 2, 2]);
    expect(asked()).toBe(2);
  });
});

describe('what one may cost', () => {
  it('is a burst, and then so much with each second, for each of them', () => {
    let nowMs = 0;
    const budgets = new Budgets({ burst: 3, perSecond: 2 }, () => nowMs);
    const burst = ['a', 'a', 'a', 'a', 'b'].map((who) => budgets.take(who));
    const waits = [budgets.waitMs('a'), budgets.waitMs('a', 2), budgets.waitMs('b'), budgets.waitMs('a', 1_000)];
    nowMs = 500;
    const later = ['a', 'a'].map((who) => budgets.take(who));
    nowMs = 3_600_000;

    expect(burst).toEqual([true, true, true, false, true]);
    expect(waits).toEqual([500, 1_000, 0, 1_500]);
    expect(later).toEqual([true, false]);
    expect([budgets.take('a', 1_000), budgets.take('a')]).toEqual([true, false]);
  });
});
