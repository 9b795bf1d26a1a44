import { array, assert, constant, integer, oneof, property, tuple, type Arbitrary } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settleViewers, toAudience, toPeople, type Viewer } from '../../../shared/message/audience.ts';
import {
  listReceipts,
  noteReceipt,
  toMemberReceipts,
  type MemberReceipts,
} from '../../../shared/message/memberReceipts.ts';

const [ANN, BOB] = ['4915100000002@s.whatsapp.net', '4915100000003@s.whatsapp.net'];
const [ANN_LID, BOB_LID] = ['222@lid', '333@lid'];
/** One account, written in two ways. */
const [EVE, EVE_AS_TYPED] = ['554788211984@s.whatsapp.net', '5547988211984@s.whatsapp.net'];
const MADE_MS = 1_700_000_000_000;
const nobodyKnown = (): boolean => false;

const rowOf = (viewers: readonly Viewer[]): MemberReceipts => ({
  ...toMemberReceipts(undefined),
  people: toPeople(viewers),
  isAudience: true,
  isSettled: true,
});
const note = (row: MemberReceipts, recipient: string, recipientAlias?: string) =>
  noteReceipt(row, { recipient, recipientAlias, state: 'read', atMs: MADE_MS + 5_000 }, MADE_MS);

const digits = integer({ min: 1_000_000, max: 999_999_999 }).map(String);
const anyViewer: Arbitrary<Viewer> = oneof(
  digits.map((user): Viewer => ({ asked: `${user}@lid`, lid: `${user}@lid` })),
  digits.map((user): Viewer => ({ asked: `${user}@s.whatsapp.net`, hasNoAccount: true })),
  tuple(digits, digits, oneof(digits, constant(undefined))).map(([asked, lid, account]): Viewer => ({
    asked: `${asked}@s.whatsapp.net`,
    lid: `${lid}@lid`,
    phoneJid: `${account ?? asked}@s.whatsapp.net`,
  })),
);

describe('the audience of a status', () => {
  it('is read from its row as it was written there', () => {
    assert(
      property(array(anyViewer, { maxLength: 20 }), (viewers) => {
        expect(toAudience(rowOf(viewers))).toEqual({ viewers, isSettled: true });
      }),
    );
  });

  it('is each person once when the accounts are known, and never the account itself', () => {
    const viewers: readonly Viewer[] = [
      { asked: ANN, phoneJid: ANN, lid: ANN_LID },
      { asked: ANN_LID, lid: ANN_LID },
      { asked: EVE_AS_TYPED, phoneJid: EVE },
      { asked: EVE, phoneJid: EVE },
      { asked: BOB, hasNoAccount: true },
      { asked: '111@lid', lid: '111@lid' },
    ];

    const settled = settleViewers(viewers, (address) => address === '111@lid');

    expect(settled.map(({ asked }) => asked)).toEqual([ANN, EVE_AS_TYPED, BOB]);
  });

  it('lists everybody, with the number that was asked for, and who has no account', () => {
    const row = rowOf([
      { asked: ANN, phoneJid: ANN, lid: ANN_LID },
      { asked: EVE_AS_TYPED, phoneJid: EVE },
      { asked: BOB, hasNoAccount: true },
    ]);

    expect(listReceipts(note(row, ANN_LID), MADE_MS)).toMatchObject([
      { recipient: { lid: ANN_LID }, deliveredAtMs: MADE_MS + 5_000, readAtMs: MADE_MS + 5_000 },
      { recipient: { phoneNumber: '+554788211984' }, askedNumber: '+5547988211984' },
      { recipient: { phoneNumber: '+4915100000003' }, hasNoAccount: true },
    ]);
  });

  it.each([
    ['by number', ANN, undefined],
    ['by LID', ANN_LID, undefined],
    ['by both', ANN_LID, ANN],
  ])('has the word of a viewer %s, and keeps all that is known of them', (_how, recipient, alias) => {
    const row = rowOf([{ asked: EVE_AS_TYPED, phoneJid: ANN, lid: ANN_LID }]);

    const noted = note(row, recipient, alias);

    expect(noted).toMatchObject({ delivered: 1, read: 1, isAudience: true });
    expect(toAudience(noted).viewers).toEqual(toAudience(row).viewers);
  });

  it('has no word of anybody else, nor of a number without an account', () => {
    const row = rowOf([
      { asked: ANN, phoneJid: ANN, lid: ANN_LID },
      { asked: BOB, hasNoAccount: true },
    ]);

    expect(note(row, BOB_LID)).toBe(row);
    expect(note(row, BOB, BOB_LID)).toBe(row);
    expect(note(row, '22@lid')).toBe(row);
  });

  it('learns the LID of a viewer who was named by number', () => {
    const noted = note(rowOf([{ asked: ANN, phoneJid: ANN }]), ANN_LID, ANN);

    expect(toAudience(noted).viewers).toEqual([{ asked: ANN, phoneJid: ANN, lid: ANN_LID }]);
    expect(settleViewers([], nobodyKnown)).toEqual([]);
  });
});
