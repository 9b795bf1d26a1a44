import { getBinaryNodeChild, getBinaryNodeChildren, type BinaryNode } from '@whiskeysockets/baileys';
import type { PrivacyName, ShownPrivacy } from '../../../shared/action/kinds/profile.ts';
import { parseJid } from '../../../shared/kernel/jid.ts';
import { toContact } from '../../../shared/message/party.ts';
import { tableEntry } from '../../../shared/kernel/tableEntry.ts';
import { withDeadline } from '../../../shared/kernel/deadline.ts';
import { answerTo } from '../port/answerTo.ts';
import { toLinkedAccount } from '../wire/toLinkedAccount.ts';
import { textIn, toShownText } from '../wire/foreignText.ts';
import { toCount } from '../wire/toGroup.ts';
import type { Ask, Asking } from './asking.ts';
import { aNode } from './groupQuery.ts';
import { toUserQuery, usersIn } from './userQuery.ts';

/** What the account shows of itself, and to whom. */
const ABOUT_CHARACTERS = 512;
const NAME_CHARACTERS = 128;
const MOST_DEVICES = 50;

function ask(asking: Asking, type: 'get' | 'set', xmlns: string, content: BinaryNode): Promise<BinaryNode> {
  const attrs = { id: asking.makeTag(), to: 's.whatsapp.net', type, xmlns };
  return answerTo(asking, { tag: 'iq', attrs, content: [content] });
}

export const askProfileFind: Ask<'profile_find'> = async (asking) => {
  const { creds } = asking.socket.authState;
  const me = toLinkedAccount(creds);
  const answer = await answerTo(asking, toUserQuery(asking, ['status', 'disappearing_mode', 'devices'], me.phoneJid));
  const user = usersIn(answer)?.[0];
  if (user === undefined) return { outcome: 'unanswered' };
  const about = toShownText(textIn(getBinaryNodeChild(user, 'status')?.content) ?? '', ABOUT_CHARACTERS);
  const seconds = toCount(getBinaryNodeChild(user, 'disappearing_mode')?.attrs['duration']);
  const { name } = me;
  return {
    outcome: 'succeeded',
    result: {
      contact: toContact(me.phoneJid, me.lid),
      ...(name === undefined ? {} : { name: toShownText(name, NAME_CHARACTERS) }),
      ...(about === '' ? {} : { about }),
      ...(seconds === undefined ? {} : { disappearing_seconds: seconds }),
      devices: devicesOf(user, parseJid(creds.me?.id ?? '')?.device),
    },
  };
};

function devicesOf(user: BinaryNode, own: number | undefined) {
  const list = getBinaryNodeChild(getBinaryNodeChild(user, 'devices'), 'device-list');
  return getBinaryNodeChildren(list, 'device')
    .slice(0, MOST_DEVICES)
    .flatMap(({ attrs }) => {
      const number = toCount(attrs['id']);
      return number === undefined ? [] : [{ number, is_phone: number === 0, is_this: number === own }];
    });
}

export const askProfileAboutSet: Ask<'profile_about_set'> = async (asking, { about }) => {
  await ask(asking, 'set', 'status', aNode('status', {}, Buffer.from(about)));
  return { outcome: 'succeeded', result: { about } };
};

export const askProfileDisappearingSet: Ask<'profile_disappearing_set'> = async (asking, request) => {
  const { disappearing_seconds: seconds } = request;
  await ask(asking, 'set', 'disappearing_mode', aNode('disappearing_mode', { duration: String(seconds) }));
  return { outcome: 'succeeded', result: { disappearing_seconds: seconds } };
};

/** The names of privacy settings at WhatsApp, and its words for their values. */
const categories: Readonly<Record<PrivacyName, string>> = {
  last_seen: 'last',
  online: 'online',
  picture: 'profile',
  about: 'status',
  read_receipts: 'readreceipts',
  group_add: 'groupadd',
  call_add: 'calladd',
};
const words = {
  everybody: 'all',
  contacts: 'contacts',
  nobody: 'none',
  as_last_seen: 'match_last_seen',
  known: 'known',
} as const;
const shownWords: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.entries(words).map(([ours, theirs]) => [theirs, ours])),
  contact_blacklist: 'contacts_except',
};
const WORD_CHARACTERS = 64;

export const askPrivacyFind: Ask<'privacy_find'> = async (asking) => {
  const listed = getBinaryNodeChild(await ask(asking, 'get', 'privacy', aNode('privacy')), 'privacy');
  if (listed === undefined) return { outcome: 'unanswered' };
  return { outcome: 'succeeded', result: { privacy: toPrivacy(listed) } };
};

function toPrivacy(listed: BinaryNode): ShownPrivacy {
  const values = getBinaryNodeChildren(listed, 'category').map(({ attrs }) => [attrs['name'], attrs['value']] as const);
  const shown = (Object.keys(categories) as PrivacyName[]).flatMap((name) => {
    const value = values.find(([category]) => category === categories[name])?.[1];
    if (value === undefined) return [];
    return [[name, tableEntry(shownWords, value) ?? toShownText(value, WORD_CHARACTERS)] as const];
  });
  return Object.fromEntries(shown);
}

/** Baileys remembers how read receipts are set, so that it asks anew after a change. The change is made whether or not it gets an answer. */
export const askPrivacySet: Ask<'privacy_set'> = async (asking, { privacy }) => {
  const changes = (Object.keys(categories) as PrivacyName[]).flatMap((name) => {
    const value = privacy[name];
    return value === undefined ? [] : [aNode('category', { name: categories[name], value: words[value] })];
  });
  await ask(asking, 'set', 'privacy', aNode('privacy', {}, changes));
  await withDeadline('asking for privacy settings', asking.queryTimeoutMs, () =>
    asking.socket.fetchPrivacySettings(true),
  ).catch(() => undefined);
  return { outcome: 'succeeded', result: { privacy } };
};
