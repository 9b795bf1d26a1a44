import { isLid, parseJid, phoneNumberOf, toPhoneJid } from '../kernel/jid.ts';
import { z } from 'zod';
import type { SentMessage } from './message.ts';
import { toContact, type Contact } from './party.ts';

/**
 * How far a message to a group came with each member, as one row keeps it. A group has up to 1,024 members with up to three
 * receipts each, and most come within seconds: so all receipts of a batch are one change of one row, which is read and
 * written once. A row for each member would cost a write for each receipt; a list that only grows could be filled by a member
 * who says the same for ever, and could not say how many have read it. An entry takes about 40 bytes, so that a write
 * costs one unit up to 25 members, 10 with 250 and 40 with 1,024.
 *
 * An entry is `;L<lid>P<number>=<delivered>,<read>,<played>`: times in seconds after the message was made, in base 36.
 * What is not known is left out. The first that was said of each state counts.
 *
 * The row of a status is there from the start, as it says who the status is for: an entry for each viewer, whose times are
 * empty at first, with `A<number>` at its front where that person was named by another number than the account has, and with
 * `!` in place of times where there turned out to be no account. Nobody is added to it.
 */
export interface MemberReceipts {
  readonly people: string;
  /** The people are all who count: a status has an audience, and who is not in it has no say. */
  readonly isAudience?: true | undefined;
  /** The accounts of the audience are known: each try of the status goes to the same people. */
  readonly isSettled?: true | undefined;
  /** The number of members with which the message is as far as that. */
  readonly delivered: number;
  readonly read: number;
  readonly played: number;
}

export const receiptStates = ['delivered', 'read', 'played'] as const;
export type ReceiptState = (typeof receiptStates)[number];

export interface MemberReceipt {
  readonly recipient: string;
  readonly recipientAlias?: string | undefined;
  readonly state: ReceiptState;
  readonly atMs: number;
}

/** The greatest number of members of whom one row tells: more than WhatsApp lets into a group. */
export const MOST_MEMBERS = 1_100;
const NOBODY: MemberReceipts = { people: '', delivered: 0, read: 0, played: 0 };

/** The receipts in a row; of nobody, where there is no row yet. */
export function toMemberReceipts(item: Readonly<Record<string, unknown>> | undefined): MemberReceipts {
  return item === undefined ? NOBODY : (item as unknown as MemberReceipts);
}

/**
 * The receipts with one more; the same object where that says nothing new. Who has read a message has got it.
 * @param madeAtMs when the message was made
 */
export function noteReceipt(
  receipts: MemberReceipts,
  { recipient, recipientAlias, state, atMs }: MemberReceipt,
  madeAtMs: number,
): MemberReceipts {
  const names = [recipient, recipientAlias].filter((name) => name !== undefined);
  const lid = names.find(isLid);
  const number = names.find((name) => phoneNumberOf(name) !== undefined);
  if (lid === undefined && number === undefined) return receipts;
  const known = findEntry(receipts.people, userOf(lid), userOf(number));
  if (known?.hasNoAccount === true || (known === undefined && receipts.isAudience === true)) return receipts;
  if (known === undefined && membersIn(receipts.people) >= MOST_MEMBERS) return receipts;
  const times = known?.times ?? ['', '', ''];
  const seconds = Math.max(0, Math.round((atMs - madeAtMs) / 1_000)).toString(36);
  const reached = receiptStates.indexOf(state);
  const next = times.map((time, index) => (time === '' && index <= reached ? seconds : time));
  if (next.join() === times.join()) return receipts;
  const entry = toEntry({
    asked: known?.asked ?? '',
    lid: userOf(lid) || (known?.lid ?? ''),
    number: userOf(number) || (known?.number ?? ''),
    times: next,
    hasNoAccount: false,
  });
  const counted = receiptStates.map((one, index) => [
    one,
    receipts[one] + (times[index] === '' && next[index] !== '' ? 1 : 0),
  ]);
  const people =
    known === undefined
      ? receipts.people + entry
      : receipts.people.slice(0, known.from) + entry + receipts.people.slice(known.until);
  const { isAudience, isSettled } = receipts;
  return {
    people,
    ...(Object.fromEntries(counted) as Record<ReceiptState, number>),
    ...(isAudience === undefined ? {} : { isAudience }),
    ...(isSettled === undefined ? {} : { isSettled }),
  };
}

/** How far a message came in its group, in numbers. */
export const memberCountsSchema = z
  .object({
    total: z
      .number()
      .int()
      .optional()
      .meta({ description: 'The members that it went to, without the account itself.' }),
    delivered: z.number().int(),
    read: z.number().int(),
    played: z.number().int(),
  })
  .meta({ id: 'MemberCounts', description: 'With how many members of the group the message is as far as that.' });

export function toMemberCounts(
  { members }: Pick<SentMessage, 'members'>,
  { delivered, read, played }: MemberReceipts,
): z.infer<typeof memberCountsSchema> {
  return { ...(members === undefined ? {} : { total: members }), delivered, read, played };
}

export interface ListedReceipt {
  readonly recipient: Contact;
  /** The number under which somebody was named, where the account has another one. */
  readonly askedNumber?: string;
  /** There is no account, so that nothing was sent. */
  readonly hasNoAccount?: true;
  readonly deliveredAtMs?: number;
  readonly readAtMs?: number;
  readonly playedAtMs?: number;
}

/** The receipts of each member, in the order in which the first of each came. */
export function listReceipts({ people }: MemberReceipts, madeAtMs: number): readonly ListedReceipt[] {
  return entriesIn(people).map(({ asked, lid, number, times, hasNoAccount }): ListedReceipt => {
    const [delivered, read, played] = times.map((time) =>
      time === '' ? undefined : madeAtMs + Number.parseInt(time, 36) * 1_000,
    );
    return {
      recipient: toContact(lid === '' ? undefined : `${lid}@lid`, number === '' ? undefined : toPhoneJid(number)),
      ...(asked === '' ? {} : { askedNumber: `+${asked}` }),
      ...(hasNoAccount ? { hasNoAccount } : {}),
      ...(delivered === undefined ? {} : { deliveredAtMs: delivered }),
      ...(read === undefined ? {} : { readAtMs: read }),
      ...(played === undefined ? {} : { playedAtMs: played }),
    };
  });
}

/** One of the people in a row; what is not known of them is empty. */
export interface Entry {
  /** The digits of the number under which a viewer was named, where the account has another one. */
  readonly asked: string;
  readonly lid: string;
  readonly number: string;
  /** When it was delivered, read and played; empty where it was not. */
  readonly times: readonly string[];
  readonly hasNoAccount: boolean;
}

/** What stands in place of the times of somebody who has no account. */
const NO_ACCOUNT = '!';

export function toEntry({ asked, lid, number, times, hasNoAccount }: Entry): string {
  return `;${asked === '' ? '' : `A${asked}`}L${lid}P${number}=${hasNoAccount ? NO_ACCOUNT : times.join(',')}`;
}

/** All people in a row, in their order. */
export function entriesIn(people: string): readonly Entry[] {
  return people.split(';').slice(1).map(readEntry);
}

function findEntry(
  people: string,
  lid: string,
  number: string,
): (Entry & { readonly from: number; readonly until: number }) | undefined {
  const byLid = lid === '' ? -1 : people.indexOf(`L${lid}P`);
  const at = byLid === -1 && number !== '' ? people.indexOf(`P${number}=`) : byLid;
  if (at === -1) return undefined;
  const from = people.lastIndexOf(';', at);
  const end = people.indexOf(';', at + 1);
  const until = end === -1 ? people.length : end;
  return { ...readEntry(people.slice(from + 1, until)), from, until };
}

function readEntry(text: string): Entry {
  const [names = '', times = ''] = text.split('=');
  const [asked = '', known = ''] = names.split('L');
  const [lid = '', number = ''] = known.split('P');
  const hasNoAccount = times === NO_ACCOUNT;
  return { asked: asked.slice(1), lid, number, times: hasNoAccount ? ['', '', ''] : times.split(','), hasNoAccount };
}

function membersIn(people: string): number {
  let count = 0;
  for (let at = people.indexOf(';'); at !== -1; at = people.indexOf(';', at + 1)) count += 1;
  return count;
}

function userOf(jid: string | undefined): string {
  return jid === undefined ? '' : (parseJid(jid)?.user ?? '');
}
