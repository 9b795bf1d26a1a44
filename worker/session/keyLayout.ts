import { hash } from 'node:crypto';
import { boundedKeyPart } from '../../shared/kernel/boundedName.ts';

/**
 * The item of the Sessions table that holds a key (docs/sessions.md, "Session store"). Hard items are written under
 * their version and the epoch, because an old copy of one breaks a conversation; soft ones under the epoch alone,
 * because they can be learned again. Small entries share an item, so that 812 pre-keys are 33 writes and not 812.
 */
export interface KeyPlace {
  /** The sort key after the prefix of its scope. */
  readonly name: string;
  readonly isHard: boolean;
  /**
   * The scope of the key. Ratchets are dropped together when they may have gone back; all else belongs to the account.
   */
  readonly scope: 'account' | 'ratchets';
  /** The rank of the item: items of a lower rank are durable before one of a higher rank is written. */
  readonly rank: Rank;
  /** The number of days from its last write on after which the item expires; undefined for an item that stays. */
  readonly keptDays?: number;
}

/**
 * The order of writes. The item that says where a session is comes before the session. A one-time pre-key is removed
 * only after its session is durable: without both, a first message that comes again could never be read.
 */
export const RANKS = [0, 1, 2] as const;
export type Rank = (typeof RANKS)[number];
const [ADDRESSES, RATCHETS] = RANKS;
export const [, , PRE_KEYS] = RANKS;

/** The greatest length of an id in a key of the store. WhatsApp or a contact names a part of an id: a group, a user. */
const LONGEST_ID = 256;
const bounded = (id: string): string => boundedKeyPart(id, LONGEST_ID);

/**
 * The number of days that sender keys are kept after their last use. Anybody who shares a group with the account makes
 * them, as many as they like, so unused ones expire. A key that has expired is asked for again with the next message of
 * its sender. The list of people who have the account's own key expires well before the key itself does: otherwise a
 * new key would be given to nobody.
 */
const SENDER_KEY_DAYS = 90;
const SENDER_KEY_MEMORY_DAYS = 60;

/** The number of pre-keys in an item that, with its seal and attributes, fits one write unit. */
const PRE_KEYS_PER_ITEM = 25;

const own =
  (name: string, isHard: boolean) =>
  (id: string): KeyPlace => ({ name: `${name}#${bounded(id)}`, isHard, scope: 'account', rank: ADDRESSES });
const ratchet =
  (name: string) =>
  (id: string): KeyPlace => ({ name: `${name}#${bounded(id)}`, isHard: true, scope: 'ratchets', rank: RATCHETS });
const senderKey = (id: string): KeyPlace => ({ ...ratchet('SENDERKEY')(id), keptDays: SENDER_KEY_DAYS });
/**
 * The place of what is known of a person: all kinds in one of 256 items, so that a first contact is two writes (its
 * number and its LID) and not eight. A thousand contacts make items of about a kilobyte.
 */
const contact = (id: string): KeyPlace => ({
  name: `CONTACTS#${hash('sha256', userOf(id)).slice(0, 2)}`,
  isHard: false,
  scope: 'account',
  rank: ADDRESSES,
});
/** The user part of `49151…`, `123_reverse`, `123_1.0` and `123@lid`. */
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
  /** The last stanzas handled on a session or sender key, in the item of that key: one write for both. */
  handled: (id) => (id.includes('::') ? senderKey(id) : ratchet('SIGNAL')(id)),
  /** The people who have the account's sender key: dropped with the key itself, so that a new key is given to all. */
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
  /** A mark that the account has talked with a person. */
  talked: contact,
};

/** The place of a key. Throws for a type that has none, so that a new type is a decision. */
export function placeOf(type: string, id: string): KeyPlace {
  const place = layout[type];
  if (place === undefined) throw new Error(`no place for keys of type ${type}`);
  return place(id);
}

/** The name of a key within its item, which several types share. */
export function entryOf(type: string, id: string): string {
  return `${type}:${bounded(id)}`;
}
