import { createHash } from 'node:crypto';
import { boundedKeyPart } from '../../shared/kernel/boundedName.ts';

/**
 * Which item of the Sessions table holds which key (docs/sessions.md, "Session store"). Hard items are written under their version and the
 * epoch, because an old copy of one breaks a conversation; soft ones under the epoch alone, because they can be learned
 * again. Small entries share an item, so that 812 pre-keys are 33 writes and not 812.
 */
export interface KeyPlace {
  /** Sort key after the prefix of its scope. */
  readonly name: string;
  readonly isHard: boolean;
  /** Ratchets are dropped together when they may have gone back; the rest belongs to the account. */
  readonly scope: 'account' | 'ratchets';
  /** Items of a lower rank are durable before one of a higher rank is written. */
  readonly rank: Rank;
  /** Days from its last write after which the item goes by itself; undefined for one that stays. */
  readonly keptDays?: number;
}

/**
 * The order of writes. What says where a session is comes before the session. A one-time pre-key is removed only after
 * its session is durable: without both, a first message that comes again could never be read.
 */
export const RANKS = [0, 1, 2] as const;
export type Rank = (typeof RANKS)[number];
const [ADDRESSES, RATCHETS] = RANKS;
export const [, , PRE_KEYS] = RANKS;

/**
 * Most of an id that a key of the store may hold. Part of an id is what WhatsApp or a contact names: a group, a user.
 */
const LONGEST_ID = 256;
const bounded = (id: string): string => boundedKeyPart(id, LONGEST_ID);

/**
 * Sender keys are made by whoever shares a group with us, as many as he likes, so that they go when nobody uses them. One
 * that is gone is asked for again with the next message of its sender. Who has our own key is forgotten well before the key
 * itself is: otherwise a new key would be given to nobody.
 */
const SENDER_KEY_DAYS = 90;
const SENDER_KEY_MEMORY_DAYS = 60;

/** With their seal and attributes they fit one write unit. */
const PRE_KEYS_PER_ITEM = 25;

const own =
  (name: string, isHard: boolean) =>
  (id: string): KeyPlace => ({ name: `${name}#${bounded(id)}`, isHard, scope: 'account', rank: ADDRESSES });
const ratchet =
  (name: string) =>
  (id: string): KeyPlace => ({ name: `${name}#${bounded(id)}`, isHard: true, scope: 'ratchets', rank: RATCHETS });
const senderKey = (id: string): KeyPlace => ({ ...ratchet('SENDERKEY')(id), keptDays: SENDER_KEY_DAYS });
/**
 * What is known of a person: all kinds in one of 256 items, so that a first contact is two writes (its number and its LID)
 * and not eight. A thousand contacts make items of about a kilobyte.
 */
const contact = (id: string): KeyPlace => ({
  name: `CONTACTS#${createHash('sha256').update(userOf(id)).digest('hex').slice(0, 2)}`,
  isHard: false,
  scope: 'account',
  rank: ADDRESSES,
});
/** The user in `49151…`, `123_reverse`, `123_1.0` and `123@lid`. */
const userOf = (id: string): string => id.split(/[_.:@]/)[0] ?? id;

const layout: Readonly<Record<string, (id: string) => KeyPlace>> = {
  'pre-key': (id) => ({
    name: `PREKEYS#${String(Math.floor(Number(id) / PRE_KEYS_PER_ITEM)).padStart(6, '0')}`,
    isHard: true,
    scope: 'account',
    rank: PRE_KEYS,
  }),
  session: ratchet('SIGNAL'),
  'sender-key': senderKey,
  /** The last stanzas handled on a session or sender key, in the item of that: one write for both. */
  handled: (id) => (id.includes('::') ? senderKey(id) : ratchet('SIGNAL')(id)),
  /** Who has our sender key: dropped with the key itself, so that it is given out again. */
  'sender-key-memory': (id) => ({
    name: `SENDERKEYMEMORY#${bounded(id)}`,
    isHard: false,
    scope: 'ratchets',
    rank: ADDRESSES,
    keptDays: SENDER_KEY_MEMORY_DAYS,
  }),
  'app-state-sync-key': own('APPSTATEKEY', true),
  'app-state-sync-version': own('APPSTATE', false),
  'lid-mapping': contact,
  'device-list': contact,
  'known-devices': contact,
  'identity-key': contact,
  tctoken: contact,
};

/** Where a key is kept. Throws for a type that has no place, so that a new one is a decision. */
export function placeOf(type: string, id: string): KeyPlace {
  const place = layout[type];
  if (place === undefined) throw new Error(`no place for keys of type ${type}`);
  return place(id);
}

/** Name of a key within its item: several types share one. */
export function entryOf(type: string, id: string): string {
  return `${type}:${bounded(id)}`;
}
