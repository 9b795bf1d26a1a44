import { getBinaryNodeChild, getBinaryNodeChildren, type BinaryNode } from '@whiskeysockets/baileys';
import type { BusinessProfile } from '../../../shared/action/kinds/contactLooks.ts';
import { withDeadline } from '../../../shared/kernel/deadline.ts';
import { deadlines } from '../../../shared/kernel/deadlines.ts';
import { isLid, isPerson, phoneNumberOf, withoutDevice } from '../../../shared/kernel/jid.ts';
import { toContact, type Contact } from '../../../shared/message/party.ts';
import { answerTo } from '../port/answerTo.ts';
import { textIn, toShownText } from '../wire/foreignText.ts';
import { fitInto, toCount, toTime } from '../wire/toGroup.ts';
import type { Ask, Asking } from './asking.ts';
import { aNode } from './groupQuery.ts';
import { findPeople } from './namedPeople.ts';
import { toUserQuery, usersIn } from './userQuery.ts';

/** What people show of themselves, and whom the account has blocked. */
const WHATSAPP = 's.whatsapp.net';
const ABOUT_CHARACTERS = 512;
const LIST_BYTES = 96 * 1_024;
/** The number of blocked people whose second names are looked up at once. */
const NAMES_AT_ONCE = 50;
/** How long the first word about a person is waited for, in milliseconds: what is shown comes at once. */
const PRESENCE_MS = 5_000;
/** WhatsApp's number for what a person does not show to this account. */
const HIDDEN = 401;

const nobody = { outcome: 'refused', error: { code: 'recipient_has_no_account' } } as const;

/** All names of the person of a request; none where there is nobody at the number. */
async function namesOf(asking: Asking, written: string): Promise<readonly string[]> {
  const [person] = await findPeople(asking, [written]);
  return person?.names ?? [];
}

function ask(asking: Asking, type: 'get' | 'set', xmlns: string, content: readonly BinaryNode[]): Promise<BinaryNode> {
  const attrs = { id: asking.makeTag(), to: WHATSAPP, type, xmlns };
  return answerTo(asking, { tag: 'iq', attrs, ...(content.length === 0 ? {} : { content: [...content] }) });
}

export const askContactAboutFind: Ask<'contact_about_find'> = async (asking, { contact: written }) => {
  const names = await namesOf(asking, written);
  const [jid] = names;
  if (jid === undefined) return nobody;
  const answer = await answerTo(asking, toUserQuery(asking, ['status'], jid));
  const user = usersIn(answer)?.[0];
  // A LID, unlike a number, is asked about as it is: whether there is anybody is seen in this answer alone.
  if (usersIn(answer)?.length === 0 || getBinaryNodeChild(user, 'contact')?.attrs['type'] === 'out') return nobody;
  const status = getBinaryNodeChild(user, 'status');
  if (status === undefined) return { outcome: 'unanswered' };
  const contact = toContact(...names);
  const text = toShownText(textIn(status.content) ?? '', ABOUT_CHARACTERS);
  if (toCount(status.attrs['code']) === HIDDEN) return { outcome: 'succeeded', result: { contact, about: 'hidden' } };
  if (text === '') return { outcome: 'succeeded', result: { contact, about: 'none' } };
  const setAt = toTime(status.attrs['t']);
  const shown = { text, ...(setAt === undefined ? {} : { set_at: setAt }) };
  return { outcome: 'succeeded', result: { contact, about: 'found', ...shown } };
};

export const askContactBusinessFind: Ask<'contact_business_find'> = async (asking, { contact: written }) => {
  const names = await namesOf(asking, written);
  // Business profiles are known by number.
  const jid = names.find((name) => phoneNumberOf(name) !== undefined) ?? names[0];
  if (jid === undefined) return nobody;
  const query = aNode('business_profile', { v: '244' }, [aNode('profile', { jid })]);
  const answer = await ask(asking, 'get', 'w:biz', [query]);
  const found = getBinaryNodeChild(getBinaryNodeChild(answer, 'business_profile'), 'profile');
  const contact = toContact(...names);
  if (found === undefined || !Array.isArray(found.content) || found.content.length === 0) {
    // A person who is known by LID alone may have a profile under a number that nobody knows here.
    const isKnown = phoneNumberOf(jid) !== undefined;
    return { outcome: 'succeeded', result: { contact, ...(isKnown ? { is_business: false } : {}) } };
  }
  return { outcome: 'succeeded', result: { contact, is_business: true, profile: toBusinessProfile(found) } };
};

const FIELD_CHARACTERS = 1_024;
const MOST_PARTS = 20;

function toBusinessProfile(profile: BinaryNode): BusinessProfile {
  const texts = (parent: BinaryNode | undefined, tag: string): string[] =>
    getBinaryNodeChildren(parent, tag)
      .slice(0, MOST_PARTS)
      .map(({ content }) => toShownText(textIn(content) ?? '', FIELD_CHARACTERS))
      .filter((text) => text !== '');
  const one = <Name extends string>(name: Name): { readonly [Key in Name]?: string } => {
    const [text] = texts(profile, name);
    return (text === undefined ? {} : { [name]: text }) as { readonly [Key in Name]?: string };
  };
  const hours = getBinaryNodeChild(profile, 'business_hours');
  const timezone = hours?.attrs['timezone'];
  return {
    ...one('description'),
    ...one('address'),
    ...one('email'),
    websites: texts(profile, 'website'),
    categories: texts(getBinaryNodeChild(profile, 'categories'), 'category'),
    ...(timezone === undefined ? {} : { timezone: toShownText(timezone, 64) }),
    hours: getBinaryNodeChildren(hours, 'business_hours_config')
      .slice(0, MOST_PARTS)
      .map(({ attrs }) => toHours(attrs)),
  };
}

const MINUTES_OF_A_DAY = 1_440;

function toHours(attrs: Readonly<Record<string, string>>): BusinessProfile['hours'][number] {
  const timeOf = (name: string): string | undefined => {
    const minutes = toCount(attrs[name]);
    if (minutes === undefined || minutes > MINUTES_OF_A_DAY) return undefined;
    return [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0')).join(':');
  };
  const [opens, closes] = [timeOf('open_time'), timeOf('close_time')];
  return {
    day: toShownText(attrs['day_of_week'] ?? '', 16),
    mode: toShownText(attrs['mode'] ?? '', 32),
    ...(opens === undefined ? {} : { opens }),
    ...(closes === undefined ? {} : { closes }),
  };
}

export const askContactPresenceFind: Ask<'contact_presence_find'> = async (asking, { contact: written }) => {
  const names = await namesOf(asking, written);
  const [jid] = names;
  if (jid === undefined) return nobody;
  const heard = await asking.presences.next(names, PRESENCE_MS, () =>
    withDeadline('subscribing to a presence', deadlines.stanzaWrite.ms, () => asking.socket.presenceSubscribe(jid)),
  );
  const contact = toContact(...names);
  if (heard === undefined) return { outcome: 'succeeded', result: { contact, presence: 'unknown' } };
  const last = heard.isAvailable ? undefined : toTime(heard.last);
  const presence = heard.isAvailable ? 'available' : 'unavailable';
  return {
    outcome: 'succeeded',
    result: { contact, presence, ...(last === undefined ? {} : { last_seen: last }) },
  };
};

export const askContactBlock: Ask<'contact_block'> = async (asking, { contact: written }) => {
  const names = await namesOf(asking, written);
  if (names.length === 0) return nobody;
  await block(asking, names, 'block');
  return { outcome: 'succeeded', result: { contact: toContact(...names), blocked: true } };
};

export const askContactUnblock: Ask<'contact_unblock'> = async (asking, { contact: written }) => {
  const names = await namesOf(asking, written);
  if (names.length === 0) return nobody;
  await block(asking, names, 'unblock');
  return { outcome: 'succeeded', result: { contact: toContact(...names), blocked: false } };
};

/** The list is kept by LID, with the number beside it for who is new in it. Source of the form: Baileys (`updateBlockStatus`). */
async function block(asking: Asking, names: readonly string[], action: 'block' | 'unblock'): Promise<void> {
  const number = names.find((name) => !isLid(name));
  const jid = names.find(isLid) ?? number ?? '';
  const beside = action === 'block' && number !== undefined && jid !== number ? { pn_jid: number } : {};
  await ask(asking, 'set', 'blocklist', [aNode('item', { action, jid, ...beside })]);
}

export const askBlockList: Ask<'block_list'> = async (asking) => {
  const listed = getBinaryNodeChild(await ask(asking, 'get', 'blocklist', []), 'list');
  if (listed === undefined) return { outcome: 'unanswered' };
  const items = getBinaryNodeChildren(listed, 'item').map(({ attrs }) => ({
    jid: withoutDevice(attrs['jid'] ?? ''),
    number: attrs['pn_jid'],
  }));
  const people = items.filter(({ jid }) => isPerson(jid));
  const contacts: Contact[] = [];
  for (let from = 0; from < people.length; from += NAMES_AT_ONCE) {
    const some = people.slice(from, from + NAMES_AT_ONCE);
    const named = some.map(async ({ jid, number }) => toContact(jid, number ?? (await asking.otherNameOf(jid))));
    contacts.push(...(await Promise.all(named)));
    // Nobody is looked up who is not shown.
    if (Buffer.byteLength(JSON.stringify(contacts)) > LIST_BYTES) break;
  }
  const { shown, complete } = fitInto(contacts, LIST_BYTES);
  return { outcome: 'succeeded', result: { contacts: shown, complete } };
};
