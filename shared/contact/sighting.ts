import type { Fact } from '../event/facts/factRows.ts';
import { isLid, isPerson, toPhoneJid } from '../kernel/jid.ts';
import { numberOf } from './contact.ts';

/** What was seen of a person at a moment: their addresses, as far as they were named, and what stood beside them. */
export interface Sighting {
  readonly lid?: string | undefined;
  /** The digits of the phone number. */
  readonly number?: string | undefined;
  readonly push?: string | undefined;
  readonly username?: string | undefined;
  readonly saved?: string | undefined;
  readonly blocked?: boolean | undefined;
  readonly pictureId?: string | undefined;
}

/** The fields that are kept of a person beside the addresses. */
export const seenFields = ['push', 'username', 'saved', 'blocked', 'pictureId'] as const;
export type Seen = Pick<Sighting, (typeof seenFields)[number]>;

/** The sighting of a person by some of their addresses, in any order; undefined where none of them is a person's. */
export function sightingOf(addresses: readonly (string | undefined)[], seen: Seen = {}): Sighting | undefined {
  const people = addresses.filter((address) => address !== undefined && isPerson(address));
  const lid = people.find((address) => address !== undefined && isLid(address));
  const number = people.map(numberOf).find((digits) => digits !== undefined);
  if (lid === undefined && number === undefined) return undefined;
  return { ...(lid === undefined ? {} : { lid }), ...(number === undefined ? {} : { number }), ...present(seen) };
}

/**
 * The people whom a fact shows: who wrote or called, to whom the account wrote on another device, and whom a change is about.
 * The account itself is nobody's contact. Receipts and lists of members show nobody: anybody can send the first, and the second name a
 * thousand people who never wrote.
 */
export function sightingsIn(fact: Fact): readonly Sighting[] {
  const found = seenIn(fact);
  return found === undefined ? [] : [found];
}

function seenIn(fact: Fact): Sighting | undefined {
  switch (fact.kind) {
    case 'message': {
      const { chat, chatAlias, sender, senderAlias, senderName: push, senderUsername: username, fromMe } = fact;
      // Some clients say an empty name, which is none.
      if (!fromMe) return sightingOf([sender, senderAlias], { push: push || undefined, username });
      const isToSelf = chat === sender || chat === senderAlias;
      return isToSelf ? undefined : sightingOf([chat, chatAlias]);
    }
    case 'call':
      return sightingOf([fact.caller, fact.callerAlias]);
    case 'contact_change': {
      const { contact, contactAlias, blocked, saved, pictureId, hasNoPicture } = fact;
      const picture = hasNoPicture === true ? '' : pictureId;
      return sightingOf([contact, contactAlias], { blocked, saved, pictureId: picture });
    }
    default:
      return undefined;
  }
}

/** One sighting for each person, in place of several of the same: what was seen later counts. */
export function together(sightings: readonly Sighting[]): readonly Sighting[] {
  const lidOf = new Map(sightings.flatMap(({ lid, number }) => (lid && number ? [[number, lid] as const] : [])));
  const found = new Map<string, Sighting>();
  for (const sighting of sightings) {
    const lid = sighting.lid ?? (sighting.number === undefined ? undefined : lidOf.get(sighting.number));
    const id = lid ?? toPhoneJid(sighting.number ?? '');
    found.set(id, { ...found.get(id), ...sighting, ...(lid === undefined ? {} : { lid }) });
  }
  return [...found.values()];
}

function present(seen: Seen): Seen {
  return Object.fromEntries(Object.entries(seen).filter(([, value]) => value !== undefined));
}
