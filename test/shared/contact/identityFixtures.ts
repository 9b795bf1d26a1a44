import type { Contact } from '../../../shared/contact/contact.ts';
import type { ContactChangeFact } from '../../../shared/event/facts/contactChangeFact.ts';
import type { Fact } from '../../../shared/event/facts/factRows.ts';
import { addressOf } from '../../../worker/socket/wire/envelope.ts';
import { withOtherNames } from '../../../worker/socket/wire/otherNames.ts';
import { aMessageFact } from '../event/eventStores.ts';

/** The account of the connection. */
export const ME = { phoneJid: '4915100000001@s.whatsapp.net', lid: '111@lid' } as const;

/** A person, as they are to stand among the contacts. */
export type Person = Partial<Pick<Contact, 'id' | 'number' | 'push' | 'username' | 'saved' | 'blocked' | 'pictureId'>>;

/** What comes of one person or some, in the order in which it comes, and who is to be known then. */
export interface Fixture {
  readonly what: string;
  readonly comes: readonly (Fact | readonly Fact[])[];
  readonly people: readonly Person[];
  /** The ids that ended in another one. */
  readonly merged?: readonly string[];
  /** Further addresses that lead to the first of the people. */
  readonly leads?: readonly string[];
}

const LID = '222@lid';
const NUMBER = '4915100000002';
const PN = `${NUMBER}@s.whatsapp.net`;
const GROUP = '120363000000000001@g.us';
const OTHER_GROUP = '120363000000000002@g.us';

type Attributes = Readonly<Record<string, string>>;

/** A message as the attributes of its stanza say it; `known` is what the session maps beside them. */
function message(attrs: Attributes, known: ReadonlyMap<string, string> = new Map()): Fact {
  const { atMs: _, stanzaId: __, ...address } = addressOf({ tag: 'message', attrs }, ME);
  const bare = aMessageFact({});
  if (bare.kind !== 'message') throw new Error('a message is made');
  const { senderName: ___, ...rest } = bare;
  return withOtherNames({ ...rest, ...address }, known);
}

const byNumber = (attrs: Attributes = {}) => message({ from: PN, notify: 'Ada', ...attrs });
const byLid = (attrs: Attributes = {}) => message({ from: LID, notify: 'Ada', ...attrs });
const inGroup = (participant: string, attrs: Attributes = {}) =>
  message({ from: GROUP, participant, notify: 'Ada', ...attrs });
const call = (caller: string, callerAlias?: string): Fact => ({
  kind: 'call',
  key: `call:${caller}`,
  atMs: 1,
  callId: 'CALL',
  caller,
  ...(callerAlias === undefined ? {} : { callerAlias }),
  video: false,
  isGroupCall: false,
  rejected: false,
});
const change = (contact: string, changed: Partial<ContactChangeFact>): Fact => ({
  kind: 'contact_change',
  key: `change:${contact}`,
  atMs: 1,
  contact,
  ...changed,
});

const ada = { id: LID, number: NUMBER, push: 'Ada' };
const alone = { id: PN, number: NUMBER, push: 'Ada' };
const session = new Map([
  [PN, LID],
  [LID, PN],
]);

/** Two numbers of one LID: the first as it was written once, the second as WhatsApp writes it. */
const rewritten = (what: string, first: string, second: string): Fixture => ({
  what,
  comes: [
    message({ from: '333@lid', sender_pn: `${first}@s.whatsapp.net` }),
    message({ from: '333@lid', sender_pn: `${second}@s.whatsapp.net` }),
  ],
  people: [{ id: '333@lid', number: second }],
  leads: [`${first}@s.whatsapp.net`, `${second}@s.whatsapp.net`],
});

export const fixtures: readonly Fixture[] = [
  { what: 'number alone', comes: [byNumber()], people: [alone] },
  { what: 'LID alone', comes: [byLid()], people: [{ id: LID, push: 'Ada' }] },
  { what: 'number with its LID', comes: [byNumber({ sender_lid: LID })], people: [ada], leads: [PN] },
  { what: 'LID with its number', comes: [byLid({ sender_pn: PN })], people: [ada], leads: [PN] },
  {
    what: 'number, then LID with number',
    comes: [byNumber(), byLid({ sender_pn: PN })],
    people: [ada],
    merged: [PN],
    leads: [PN],
  },
  { what: 'LID with number, then number', comes: [byLid({ sender_pn: PN }), byNumber()], people: [ada], leads: [PN] },
  { what: 'LID, then number with LID', comes: [byLid(), byNumber({ sender_lid: LID })], people: [ada], leads: [PN] },
  {
    what: 'number, then number with LID',
    comes: [byNumber(), byNumber({ sender_lid: LID })],
    people: [ada],
    merged: [PN],
    leads: [PN],
  },
  {
    what: 'number and LID as two, then as one',
    comes: [byNumber(), byLid(), byLid({ sender_pn: PN })],
    people: [ada],
    merged: [PN],
    leads: [PN],
  },
  {
    what: 'as one, then number and LID by themselves',
    comes: [byLid({ sender_pn: PN }), byNumber(), byLid()],
    people: [ada],
    leads: [PN],
  },
  {
    what: 'number whose LID the session knows',
    comes: [message({ from: PN, notify: 'Ada' }, session)],
    people: [ada],
    leads: [PN],
  },
  {
    what: 'LID whose number the session knows',
    comes: [message({ from: LID, notify: 'Ada' }, session)],
    people: [ada],
    leads: [PN],
  },
  {
    what: 'both in one batch, by themselves and as one',
    comes: [[byNumber(), byLid({ sender_pn: PN }), byNumber()]],
    people: [ada],
    leads: [PN],
  },
  {
    what: 'the same once more, wherever it stops',
    comes: [byNumber(), byLid({ sender_pn: PN }), byLid({ sender_pn: PN })],
    people: [ada],
    merged: [PN],
    leads: [PN],
  },
  { what: 'device of a number', comes: [byNumber({ from: `${NUMBER}:12@s.whatsapp.net` })], people: [alone] },
  { what: 'device of a LID', comes: [byLid({ from: '222:7@lid', sender_pn: PN })], people: [ada] },
  {
    what: 'device of a number, then another device by LID',
    comes: [
      byNumber({ from: `${NUMBER}:3@s.whatsapp.net` }),
      byLid({ from: '222:9@lid', sender_pn: `${NUMBER}:9@s.whatsapp.net` }),
    ],
    people: [ada],
    merged: [PN],
    leads: [PN],
  },
  { what: 'device in a group', comes: [inGroup('222:4@lid', { participant_pn: PN })], people: [ada] },
  {
    what: 'the older form of a number',
    comes: [byNumber({ from: `${NUMBER}@c.us` }), byNumber({ sender_lid: LID })],
    people: [ada],
    merged: [PN],
  },
  {
    what: 'in a group by number, then by LID',
    comes: [inGroup(PN), inGroup(LID, { participant_pn: PN })],
    people: [ada],
    merged: [PN],
    leads: [PN],
  },
  {
    what: 'in a group by LID, then by number',
    comes: [inGroup(LID, { participant_pn: PN }), inGroup(PN)],
    people: [ada],
    leads: [PN],
  },
  {
    what: 'in two groups under two names',
    comes: [inGroup(LID), inGroup(PN, { from: OTHER_GROUP, participant_lid: LID })],
    people: [ada],
    leads: [PN],
  },
  {
    what: 'in a group by LID, then in the chat by number',
    comes: [inGroup(LID), byNumber({ sender_lid: LID })],
    people: [ada],
    leads: [PN],
  },
  {
    what: 'in the chat by number, then in a group by LID',
    comes: [byNumber(), inGroup(LID, { participant_pn: PN })],
    people: [ada],
    merged: [PN],
    leads: [PN],
  },
  {
    what: 'to whom the phone wrote by number, and who answers by LID',
    comes: [message({ from: ME.phoneJid, recipient: PN }), byLid({ sender_pn: PN })],
    people: [ada],
    merged: [PN],
    leads: [PN],
  },
  {
    what: 'to whom the phone wrote by LID with the number beside',
    comes: [message({ from: ME.lid, recipient: LID, peer_recipient_pn: PN }), byNumber()],
    people: [ada],
    leads: [PN],
  },
  { what: 'the account itself', comes: [message({ from: ME.phoneJid, recipient: ME.phoneJid })], people: [] },
  {
    what: 'who calls by number, then writes by LID',
    comes: [call(PN), byLid({ sender_pn: PN })],
    people: [ada],
    merged: [PN],
  },
  { what: 'who calls under both names', comes: [call(LID, PN), byNumber()], people: [ada], leads: [PN] },
  {
    what: 'username only',
    comes: [inGroup(LID, { participant_username: 'ada.l' })],
    people: [{ id: LID, push: 'Ada', username: 'ada.l' }],
  },
  {
    what: 'another username, of the same person',
    comes: [inGroup(LID, { participant_username: 'ada.l' }), inGroup(LID, { participant_username: 'ada_1815' })],
    people: [{ id: LID, push: 'Ada', username: 'ada_1815' }],
  },
  {
    what: 'a username that changed hands',
    comes: [
      inGroup(LID, { participant_username: 'ada' }),
      inGroup('333@lid', { participant_username: 'ada', notify: 'Eve' }),
    ],
    people: [
      { id: LID, push: 'Ada', username: 'ada' },
      { id: '333@lid', push: 'Eve', username: 'ada' },
    ],
  },
  {
    what: 'a business whose name changes with the merge',
    comes: [byNumber({ notify: 'Bakery' }), byLid({ sender_pn: PN, notify: 'Bakery & Sons' })],
    people: [{ id: LID, number: NUMBER, push: 'Bakery & Sons' }],
    merged: [PN],
  },
  rewritten('Brazil, with the ninth digit and without', '5511987654321', '551187654321'),
  rewritten('Mexico, with the 1 of mobiles and without', '5215512345678', '525512345678'),
  rewritten('Argentina, with the 9 of mobiles and without', '5491123456789', '541123456789'),
  {
    what: 'two numbers that only look alike, in Brazil',
    comes: [message({ from: '5511987654321@s.whatsapp.net' }), message({ from: '551187654321@s.whatsapp.net' })],
    people: [
      { id: '551187654321@s.whatsapp.net', number: '551187654321' },
      { id: '5511987654321@s.whatsapp.net', number: '5511987654321' },
    ],
  },
  {
    what: 'a number that another person has now',
    comes: [byLid({ sender_pn: PN }), message({ from: '333@lid', sender_pn: PN, notify: 'Eve' })],
    people: [
      { id: LID, push: 'Ada' },
      { id: '333@lid', number: NUMBER, push: 'Eve' },
    ],
  },
  {
    what: 'who was blocked by number, then writes by LID',
    comes: [change(PN, { blocked: true }), byLid({ sender_pn: PN })],
    people: [{ ...ada, blocked: true }],
    merged: [PN],
  },
  {
    what: 'who was saved by number, then writes by LID',
    comes: [change(PN, { saved: 'Ada L.' }), byLid({ sender_pn: PN })],
    people: [{ ...ada, saved: 'Ada L.' }],
    merged: [PN],
  },
  {
    what: 'whose picture changed by LID, then writes by number',
    comes: [change(LID, { pictureId: '17' }), byNumber({ sender_lid: LID })],
    people: [{ ...ada, pictureId: '17' }],
  },
  {
    what: 'whose name is empty in a later message',
    comes: [byLid({ sender_pn: PN }), byLid({ notify: '' })],
    people: [ada],
  },
  {
    what: 'who writes to a broadcast list',
    comes: [message({ from: '17@broadcast', participant: PN, notify: 'Ada' }), byLid({ sender_pn: PN })],
    people: [ada],
    merged: [PN],
  },
  {
    what: 'whose status is seen',
    comes: [message({ from: 'status@broadcast', participant: LID, participant_pn: PN, notify: 'Ada' })],
    people: [ada],
  },
  { what: 'a channel', comes: [message({ from: '120363000000000009@newsletter' })], people: [] },
];
