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
 */
export interface MemberReceipts {
  readonly people: string;
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
  if (known === undefined && membersIn(receipts.people) >= MOST_MEMBERS) return receipts;
  const times = known?.times ?? ['', '', ''];
  const seconds = Math.max(0, Math.round((atMs - madeAtMs) / 1_000)).toString(36);
  const reached = receiptStates.indexOf(state);
  const next = times.map((time, index) => (time === '' && index <= reached ? seconds : time));
  if (next.join() === times.join()) return receipts;
  const entry = `;L${userOf(lid) || (known?.lid ?? '')}P${userOf(number) || (known?.number ?? '')}=${next.join(',')}`;
  const counted = receiptStates.map((one, index) => [
    one,
    receipts[one] + (times[index] === '' && next[index] !== '' ? 1 : 0),
  ]);
  const people =
    known === undefined
      ? receipts.people + entry
      : receipts.people.slice(0, known.from) + entry + receipts.people.slice(known.until);
  return { people, ...(Object.fromEntries(counted) as Record<ReceiptState, number>) };
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
  readonly deliveredAtMs?: number;
  readonly readAtMs?: number;
  readonly playedAtMs?: number;
}

/** The receipts of each member, in the order in which the first of each came. */
export function listReceipts({ people }: MemberReceipts, madeAtMs: number): readonly ListedReceipt[] {
  return people
    .split(';')
    .slice(1)
    .map((text): ListedReceipt => {
      const { lid, number, times } = readEntry(text);
      const [delivered, read, played] = times.map((time) =>
        time === '' ? undefined : madeAtMs + Number.parseInt(time, 36) * 1_000,
      );
      return {
        recipient: toContact(lid === '' ? undefined : `${lid}@lid`, number === '' ? undefined : toPhoneJid(number)),
        ...(delivered === undefined ? {} : { deliveredAtMs: delivered }),
        ...(read === undefined ? {} : { readAtMs: read }),
        ...(played === undefined ? {} : { playedAtMs: played }),
      };
    });
}

interface Entry {
  readonly lid: string;
  readonly number: string;
  /** When it was delivered, read and played; empty where it was not. */
  readonly times: readonly string[];
}

function findEntry(
  people: string,
  lid: string,
  number: string,
): (Entry & { readonly from: number; readonly until: number }) | undefined {
  const byLid = lid === '' ? -1 : people.indexOf(`;L${lid}P`);
  const at = byLid === -1 && number !== '' ? people.indexOf(`P${number}=`) : byLid;
  if (at === -1) return undefined;
  const from = people.lastIndexOf(';', at);
  const end = people.indexOf(';', at + 1);
  const until = end === -1 ? people.length : end;
  return { ...readEntry(people.slice(from + 1, until)), from, until };
}

function readEntry(text: string): Entry {
  const [names = '', times = ''] = text.split('=');
  const [lid = '', number = ''] = names.slice(1).split('P');
  return { lid, number, times: times.split(',') };
}

function membersIn(people: string): number {
  let count = 0;
  for (let at = people.indexOf(';'); at !== -1; at = people.indexOf(';', at + 1)) count += 1;
  return count;
}

function userOf(jid: string | undefined): string {
  return jid === undefined ? '' : (parseJid(jid)?.user ?? '');
}
