import type { GroupMetadata } from '@whiskeysockets/baileys';
import { beforeEach, describe, expect, it } from 'vitest';
import { CallGroups } from '../../../../worker/socket/people/callGroups.ts';
import { GroupMembers } from '../../../../worker/socket/people/groupMembers.ts';

const ANN = { id: '222@lid', phoneNumber: '49151@s.whatsapp.net' };
const groupOf = (index: number): string => `1203630000000${String(index).padStart(5, '0')}@g.us`;

describe('the group that a caller names', () => {
  let nowMs: number;
  let asked: string[];
  let calls: CallGroups;
  beforeEach(() => {
    nowMs = 0;
    asked = [];
    const members = new GroupMembers({
      ask: async (group) => {
        asked.push(group);
        return { participants: [ANN] } as unknown as GroupMetadata;
      },
      timeoutMs: 1_000,
      monotonicMs: () => nowMs,
    });
    calls = new CallGroups({
      members,
      otherNameOf: async (jid) => (jid === ANN.id ? ANN.phoneNumber : undefined),
      monotonicMs: () => nowMs,
    });
  });

  it('is believed when WhatsApp says that the caller is in it, under either name', async () => {
    const found = [
      await calls.isIn(groupOf(1), ANN.id),
      await calls.isIn(groupOf(1), ANN.phoneNumber),
      await calls.isIn(groupOf(1), '333@lid'),
    ];

    expect(found).toEqual([true, true, false]);
    expect(asked).toEqual([groupOf(1)]);
  });

  it.each([
    's.whatsapp.net',
    '49151@s.whatsapp.net',
    '222@lid',
    '@g.us',
    'x@g.us',
    '1:2@g.us',
    '1@g.us\n',
    'status@broadcast',
    '',
    `${'1'.repeat(300_000)}@g.us`,
  ])('is asked about at no address that is none of a group: %.30s', async (address) => {
    expect(await calls.isIn(address, ANN.id)).toBe(false);
    expect(asked).toEqual([]);
  });

  it('costs few questions, however many groups are named, and what is known already costs none', async () => {
    for (let index = 0; index < 500; index += 1) await calls.isIn(groupOf(index), ANN.id);
    const atOnce = asked.length;
    const known = await calls.isIn(groupOf(0), ANN.id);
    nowMs = 60_000;
    await calls.isIn(groupOf(499), ANN.id);
    await calls.isIn(groupOf(498), ANN.id);

    expect(atOnce).toBe(3);
    expect(known).toBe(true);
    expect(asked).toHaveLength(4);
  });
});
