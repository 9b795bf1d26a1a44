import { isLid, parseJid, phoneNumberOf, toPhoneJid } from '../kernel/jid.ts';
import { entriesIn, toEntry, type Entry, type MemberReceipts } from './memberReceipts.ts';

/** The most people whom one status is for: as many as WhatsApp lets into a group, and one row holds. */
export const MOST_VIEWERS = 1_000;

/** One of the people whom a status is for. */
export interface Viewer {
  /** The address by which the request names this person. */
  readonly asked: string;
  /** The addresses of the account, as far as they are known; none where there is no account. */
  readonly lid?: string | undefined;
  readonly phoneJid?: string | undefined;
  readonly hasNoAccount?: true | undefined;
}

/** The people of a status, as its row has them. */
export interface Audience {
  readonly viewers: readonly Viewer[];
  /** Whether it is known which of them have an account: then each try goes to the same people. */
  readonly isSettled: boolean;
}

/** An audience as a row keeps it: nobody has said anything yet. */
export function toPeople(viewers: readonly Viewer[]): string {
  return viewers.map((viewer) => toEntry(entryOf(viewer))).join('');
}

export function toAudience({ people, isSettled }: MemberReceipts): Audience {
  return { viewers: entriesIn(people).map(toViewer), isSettled: isSettled === true };
}

/** The address that a status goes to for somebody; undefined where there is no account. */
export function addressOf({ lid, phoneJid, hasNoAccount }: Viewer): string | undefined {
  return hasNoAccount === true ? undefined : (lid ?? phoneJid);
}

/**
 * The audience once the accounts are known: each person once, under whichever names the request had, and without the
 * account itself.
 * @param isMe whether an address is the account's own
 */
export function settleViewers(viewers: readonly Viewer[], isMe: (address: string) => boolean): readonly Viewer[] {
  const seen = new Set<string>();
  return viewers.filter(({ asked, lid, phoneJid, hasNoAccount }) => {
    const names = hasNoAccount === true ? [asked] : [lid, phoneJid].filter((name) => name !== undefined);
    if (names.some((name) => isMe(name) || seen.has(name))) return false;
    for (const name of names) seen.add(name);
    return true;
  });
}

function entryOf({ asked, lid, phoneJid, hasNoAccount }: Viewer): Entry {
  const number = hasNoAccount === true ? userOf(asked) : userOf(phoneJid);
  const askedNumber = phoneNumberOf(asked) === undefined ? '' : userOf(asked);
  return {
    asked: askedNumber === number ? '' : askedNumber,
    lid: userOf(lid),
    number,
    times: ['', '', ''],
    hasNoAccount: hasNoAccount === true,
  };
}

function toViewer({ asked, lid, number, hasNoAccount }: Entry): Viewer {
  const [lidJid, phoneJid] = [
    lid === '' ? undefined : `${lid}@lid`,
    number === '' ? undefined : toPhoneJid(number),
  ] as const;
  const named = asked === '' ? (phoneJid ?? lidJid ?? '') : toPhoneJid(asked);
  if (hasNoAccount) return { asked: named, hasNoAccount };
  return {
    asked: named,
    ...(lidJid === undefined ? {} : { lid: lidJid }),
    ...(phoneJid === undefined ? {} : { phoneJid }),
  };
}

/** A person as the request names them, before anything is asked. */
export function namedViewer(address: string): Viewer {
  return isLid(address) ? { asked: address, lid: address } : { asked: address, phoneJid: address };
}

function userOf(jid: string | undefined): string {
  return jid === undefined ? '' : (parseJid(jid)?.user ?? '');
}
