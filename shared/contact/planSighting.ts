import { toPhoneJid } from '../kernel/jid.ts';
import type { Contact } from './contact.ts';
import { seenFields, type Seen, type Sighting } from './sighting.ts';

/** How long after it was last written a row is written anew for a person who is still there, in milliseconds: it would end after 90 days. */
export const SEEN_AGAIN_MS = 30 * 86_400_000;

/** How long the names of a person rest after one has changed, in milliseconds: a client may say another one with each message. */
export const NAME_REST_MS = 600_000;

/** The rows that stand for a person, as they were read. */
export interface KnownRows {
  /** The person under an id, or undefined. */
  readonly find: (id: string) => (Contact & { readonly mergedInto?: string | undefined }) | undefined;
  /** The id of the person to whom a phone number leads, or undefined. */
  readonly leadOf: (number: string) => string | undefined;
}

/** A write of a row, each with the condition that nobody has changed the row since it was read. */
export type ContactWrite =
  /** A person who was not known. Condition: there is no such row. */
  | { readonly write: 'make'; readonly contact: Contact }
  /** Condition: the row has this version. */
  | { readonly write: 'change'; readonly id: string; readonly version: number; readonly set: Partial<Contact> }
  /** The number leads to this person; the last word counts. */
  | { readonly write: 'lead'; readonly number: string; readonly id: string }
  /** The row of a number is no person of its own any more. Condition: it is there. */
  | { readonly write: 'merge'; readonly id: string; readonly into: string }
  /** The number is another person's now. Condition: the row is there. */
  | { readonly write: 'lose_number'; readonly id: string };

/** What the tenant is told. */
export type ContactNews =
  | { readonly news: 'merged'; readonly from: Contact; readonly into: Contact }
  | { readonly news: 'changed'; readonly contact: Contact; readonly changed: Pick<Seen, 'push' | 'username'> };

export interface SightingPlan {
  /** The row of the person, written first: all others lead to it. Undefined where it stays as it is. */
  readonly own?: Extract<ContactWrite, { write: 'make' | 'change' }> | undefined;
  readonly others: readonly ContactWrite[];
  readonly news: readonly ContactNews[];
  /** Present where a new name is left for later, as the last one is not old enough. */
  readonly rests?: true;
}

/**
 * What becomes of a sighting. Pure, and when it is done twice the second time changes nothing. A person who was known by number
 * alone becomes the person of the LID as soon as a stanza names both: the row of the number leads there, and nothing that
 * names the number has to be written anew, since it is found by either.
 */
export function planSighting(seen: Sighting, rows: KnownRows, nowMs: number): SightingPlan {
  const { number } = seen;
  const lead = number === undefined ? undefined : rows.leadOf(number);
  const numberId = number === undefined ? undefined : toPhoneJid(number);
  const id = seen.lid ?? lead ?? numberId ?? '';
  const current = rows.find(id);
  const byNumber = numberId === undefined || numberId === id ? undefined : rows.find(numberId);
  const merged = byNumber?.mergedInto === undefined ? byNumber : undefined;
  const known = current ?? merged;
  const rests =
    known !== undefined && isRenamed(known, seen) && nowMs - (known.renamedAtMs ?? -Infinity) < NAME_REST_MS;
  const sighting = rests ? { ...seen, push: undefined, username: undefined } : seen;
  const before = current === undefined && merged === undefined ? undefined : { ...seenOf(merged), ...seenOf(current) };
  const set = {
    ...before,
    ...seenOf(sighting),
    ...(number === undefined ? {} : { number }),
    ...(known !== undefined && isRenamed(known, sighting) ? { renamedAtMs: nowMs } : {}),
  };
  const own = ownWrite({ id, current, merged, set, nowMs });
  const others: ContactWrite[] = [];
  if (number !== undefined) {
    const isWritten = own?.write === 'make' || own?.set.seenAtMs !== undefined;
    if (lead !== id || isWritten) others.push({ write: 'lead', number, id });
    if (lead !== undefined && lead !== id && lead !== numberId && rows.find(lead)?.number === number) {
      others.push({ write: 'lose_number', id: lead });
    }
    if (merged !== undefined) others.push({ write: 'merge', id: merged.id, into: id });
  }
  const news = newsOf({ current, merged, sighting, after: afterOf(own, current) });
  return { own, others, news, ...(rests ? { rests } : {}) };
}

const NAMES = ['push', 'username'] as const;

/** Whether a person calls themselves otherwise than before; a first name is no other one. */
function isRenamed(before: Seen, seen: Seen): boolean {
  return NAMES.some((name) => seen[name] !== undefined && before[name] !== undefined && before[name] !== seen[name]);
}

function ownWrite(given: {
  readonly id: string;
  readonly current: Contact | undefined;
  readonly merged: Contact | undefined;
  readonly set: Partial<Contact>;
  readonly nowMs: number;
}): SightingPlan['own'] {
  const { id, current, merged, set, nowMs } = given;
  if (current === undefined) {
    const firstSeenAtMs = merged?.firstSeenAtMs ?? nowMs;
    return { write: 'make', contact: { id, ...set, firstSeenAtMs, seenAtMs: nowMs, version: 1 } };
  }
  const changed = Object.entries(set).filter(([name, value]) => current[name as keyof Contact] !== value);
  const isOlder = merged !== undefined && merged.firstSeenAtMs < current.firstSeenAtMs;
  const isDue = nowMs - current.seenAtMs >= SEEN_AGAIN_MS;
  if (changed.length === 0 && !isOlder && !isDue) return undefined;
  const further = {
    ...(isOlder ? { firstSeenAtMs: merged.firstSeenAtMs } : {}),
    ...(isDue ? { seenAtMs: nowMs } : {}),
  };
  return { write: 'change', id, version: current.version, set: { ...Object.fromEntries(changed), ...further } };
}

function afterOf(own: SightingPlan['own'], current: Contact | undefined): Contact | undefined {
  return own?.write === 'make' ? own.contact : current && { ...current, ...own?.set };
}

/** Tells what a tenant may have kept under what was known before; that somebody is new, or has a first name, is no news. */
function newsOf(given: {
  readonly current: Contact | undefined;
  readonly merged: Contact | undefined;
  readonly sighting: Sighting;
  readonly after: Contact | undefined;
}): readonly ContactNews[] {
  const { current, merged, sighting, after } = given;
  if (after === undefined) return [];
  const before = current ?? merged;
  const changed = NAMES.flatMap((name) =>
    sighting[name] !== undefined && before?.[name] !== undefined && before[name] !== sighting[name]
      ? [[name, sighting[name]] as const]
      : [],
  );
  return [
    ...(merged === undefined ? [] : [{ news: 'merged', from: merged, into: after } as const]),
    ...(changed.length === 0
      ? []
      : [{ news: 'changed', contact: after, changed: Object.fromEntries(changed) } as const]),
  ];
}

function seenOf(from: Seen | undefined): Seen {
  const fields = seenFields.flatMap((name) => (from?.[name] === undefined ? [] : [[name, from[name]] as const]));
  return Object.fromEntries(fields);
}
