import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  listReceipts,
  MOST_MEMBERS,
  noteReceipt,
  receiptStates,
  toMemberReceipts,
  type MemberReceipt,
  type MemberReceipts,
} from '../../../shared/message/memberReceipts.ts';

const MADE_AT_MS = Date.UTC(2026, 7, 1, 12);
const lidOf = (member: number): string => `23647152${member}@lid`;
const numberOf = (member: number): string => `49151000${member}@s.whatsapp.net`;
const aReceipt = (member: number, state: MemberReceipt['state'], seconds = 1): MemberReceipt => ({
  recipient: lidOf(member),
  recipientAlias: numberOf(member),
  state,
  atMs: MADE_AT_MS + seconds * 1_000,
});
const after = (receipts: readonly MemberReceipt[]): MemberReceipts =>
  receipts.reduce((all, one) => noteReceipt(all, one, MADE_AT_MS), toMemberReceipts(undefined));

describe('the receipts of the members of a group', () => {
  it('are listed by member, with both names and the first time of each state', () => {
    const noted = after([aReceipt(1, 'delivered', 2), aReceipt(2, 'delivered', 3), aReceipt(1, 'read', 60)]);

    expect(listReceipts(noted, MADE_AT_MS)).toEqual([
      {
        recipient: { id: lidOf(1), phoneNumber: '+491510001', lid: lidOf(1) },
        deliveredAtMs: MADE_AT_MS + 2_000,
        readAtMs: MADE_AT_MS + 60_000,
      },
      {
        recipient: { id: lidOf(2), phoneNumber: '+491510002', lid: lidOf(2) },
        deliveredAtMs: MADE_AT_MS + 3_000,
      },
    ]);
    expect(noted).toMatchObject({ delivered: 2, read: 1, played: 0 });
  });

  it('say that who has played it has read it, and who has read it has got it', () => {
    expect(after([aReceipt(1, 'played')])).toMatchObject({ delivered: 1, read: 1, played: 1 });
  });

  it('are of one member, by whichever name it speaks, and keep a name that is told later', () => {
    const byNumber = { ...aReceipt(1, 'delivered'), recipient: numberOf(1), recipientAlias: undefined };
    const byLid = { ...aReceipt(1, 'read'), recipientAlias: undefined };
    const noted = after([byNumber, aReceipt(1, 'read'), { ...byLid, state: 'played' }]);

    expect(noted).toMatchObject({ delivered: 1, read: 1, played: 1 });
    expect(listReceipts(noted, MADE_AT_MS)).toMatchObject([
      { recipient: { id: lidOf(1), phoneNumber: '+491510001', lid: lidOf(1) } },
    ]);
  });

  it('are the same object where nothing new is said, or nobody says it', () => {
    const noted = after([aReceipt(1, 'read', 5)]);

    expect(noteReceipt(noted, aReceipt(1, 'delivered', 9), MADE_AT_MS)).toBe(noted);
    expect(noteReceipt(noted, { ...aReceipt(2, 'read'), recipient: 'x', recipientAlias: 'y@g.us' }, MADE_AT_MS)).toBe(
      noted,
    );
  });

  it('end at a bound, which no group has, and fit into a row', () => {
    const members = Array.from({ length: MOST_MEMBERS + 5 }, (_, member) => aReceipt(1_000_000 + member, 'played'));
    const noted = after(members);

    expect(noted.played).toBe(MOST_MEMBERS);
    expect(noteReceipt(noted, members[0] as MemberReceipt, MADE_AT_MS)).toBe(noted);
    expect(Buffer.byteLength(noted.people)).toBeLessThan(60_000);
  });

  it('come to the same in whatever order and however often they come', () => {
    const receipt = fc
      .record({ member: fc.integer({ min: 1, max: 12 }), state: fc.constantFrom(...receiptStates) })
      .map(({ member, state }) => aReceipt(member, state));

    fc.assert(
      fc.property(fc.array(receipt, { maxLength: 60 }), fc.array(receipt, { maxLength: 20 }), (first, again) => {
        const noted = after([...first, ...again.filter((one) => first.includes(one)), ...first.toReversed()]);
        const ranks = new Map<string, number>();
        for (const { recipient, state } of first) {
          ranks.set(recipient, Math.max(ranks.get(recipient) ?? -1, receiptStates.indexOf(state)));
        }
        for (const [rank, state] of receiptStates.entries()) {
          expect(noted[state]).toBe([...ranks.values()].filter((one) => one >= rank).length);
        }
        expect(listReceipts(noted, MADE_AT_MS)).toHaveLength(ranks.size);
      }),
    );
  });
});
