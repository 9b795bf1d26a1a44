import { getBinaryNodeChild, getBinaryNodeChildren, type BinaryNode } from '@whiskeysockets/baileys';
import {
  memberRoles,
  type GroupInShort,
  type GroupMember,
  type GroupView,
  type MemberRole,
  type ShownSettings,
} from '../../../shared/action/groupFields.ts';
import { isPerson, otherNameOf, toRecipient, withoutDevice } from '../../../shared/kernel/jid.ts';
import { toContact, type Contact } from '../../../shared/message/party.ts';
import { isGroup } from '../../../shared/message/recipient.ts';
import { textIn, toShownText } from './foreignText.ts';

/** Groups as WhatsApp describes them, and as we show them. Members wrote what is in them, so that all of it is bounded. */
const SUBJECT_CHARACTERS = 256;
const DESCRIPTION_CHARACTERS = 2_048;
/** The bytes that the members of one group may take in an answer, as JSON: 1,024 of them fit. */
const MEMBERS_BYTES = 112 * 1_024;
/** The last second that a date of JavaScript can hold. */
const LAST_SECOND = 8_640_000_000_000;

/** The group in an answer; undefined where there is none. */
export function groupIn(answer: BinaryNode): BinaryNode | undefined {
  return getBinaryNodeChild(answer, 'group');
}

/** The address of a group, written with its server or without; undefined for anything else. */
export function toGroupAddress(written: string | undefined): string | undefined {
  if (written === undefined) return undefined;
  const address = toRecipient(written.includes('@') ? written : `${written}@g.us`);
  return address !== undefined && isGroup(address) ? address : undefined;
}

/** A time in seconds, as WhatsApp writes it; undefined where it is none. */
export function toTime(seconds: string | undefined): string | undefined {
  const number = Number(seconds);
  const isTime = seconds !== undefined && Number.isSafeInteger(number) && number > 0 && number <= LAST_SECOND;
  return isTime ? new Date(number * 1_000).toISOString() : undefined;
}

/** A whole number as WhatsApp writes it; undefined where it is none. */
export function toCount(written: string | undefined): number | undefined {
  const number = Number(written);
  return written !== undefined && written !== '' && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

/** The person that a node names; undefined where it names none. */
export function toPerson({ attrs }: BinaryNode): { readonly address: string; readonly alias?: string } | undefined {
  const address = withoutDevice(attrs['jid'] ?? '');
  if (!isPerson(address)) return undefined;
  const alias = otherNameOf(address, [attrs['phone_number'], attrs['lid']]);
  return { address, ...(alias === undefined ? {} : { alias }) };
}

export function subjectOf(written: string | undefined): string {
  return toShownText(written ?? '', SUBJECT_CHARACTERS);
}

export function descriptionOf(written: string | undefined): string {
  return toShownText(written ?? '', DESCRIPTION_CHARACTERS);
}

/** A group in few words; undefined where WhatsApp gave no address. */
export function toGroupInShort(group: BinaryNode): GroupInShort | undefined {
  const { attrs } = group;
  const id = toGroupAddress(attrs['id'] ?? attrs['jid']);
  if (id === undefined) return undefined;
  const count = toCount(attrs['size']) ?? (getBinaryNodeChildren(group, 'participant').length || undefined);
  const community = toGroupAddress(getBinaryNodeChild(group, 'linked_parent')?.attrs['jid']);
  return {
    id,
    subject: subjectOf(attrs['subject']),
    ...(count === undefined ? {} : { total_participant_count: count }),
    is_community: getBinaryNodeChild(group, 'parent') !== undefined,
    is_announcements: getBinaryNodeChild(group, 'default_sub_group') !== undefined,
    ...(community === undefined ? {} : { community }),
  };
}

/** All that WhatsApp says of a group; undefined where it gave no address. */
export function toGroup(group: BinaryNode): GroupView | undefined {
  const short = toGroupInShort(group);
  if (short === undefined) return undefined;
  const { attrs } = group;
  const body = getBinaryNodeChild(getBinaryNodeChild(group, 'description'), 'body');
  const description = body === undefined ? undefined : descriptionOf(textIn(body.content));
  const createdAt = toTime(attrs['creation']);
  const creator = creatorOf(group);
  return {
    ...short,
    ...(description === undefined ? {} : { description }),
    ...(createdAt === undefined ? {} : { created_at: createdAt }),
    ...(creator === undefined ? {} : { created_by: creator }),
    settings: settingsOf(group),
    ...membersOf(group),
  };
}

function creatorOf({ attrs }: BinaryNode): Contact | undefined {
  const creator = withoutDevice(attrs['creator'] ?? '');
  return isPerson(creator) ? toContact(creator, otherNameOf(creator, [attrs['creator_pn']])) : undefined;
}

function settingsOf(group: BinaryNode): ShownSettings {
  const has = (tag: string): boolean => getBinaryNodeChild(group, tag) !== undefined;
  return {
    announcement: has('announcement'),
    locked: has('locked'),
    member_add_mode: toAddMode(textIn(getBinaryNodeChild(group, 'member_add_mode')?.content)),
    join_approval_mode: has('membership_approval_mode') ? 'approval_required' : 'auto_approve',
    disappearing_seconds: toCount(getBinaryNodeChild(group, 'ephemeral')?.attrs['expiration']) ?? 0,
  };
}

export function toAddMode(written: string | undefined): ShownSettings['member_add_mode'] {
  return written === 'all_member_add' ? 'everybody' : 'admins';
}

const RANKS: Readonly<Record<MemberRole, number>> = { superadmin: 0, admin: 1, member: 2 };

/** The members of a group, administrators first, as many as fit; nothing where WhatsApp gave none. */
function membersOf(group: BinaryNode): Pick<GroupView, 'participants' | 'participants_complete'> {
  const nodes = getBinaryNodeChildren(group, 'participant');
  if (nodes.length === 0) return {};
  const all = nodes
    .flatMap((node) => toMember(node) ?? [])
    .toSorted((one, other) => RANKS[one.role] - RANKS[other.role]);
  const { shown, complete } = fitInto(all, MEMBERS_BYTES);
  return { participants: shown, participants_complete: complete };
}

function toMember(node: BinaryNode): GroupMember | undefined {
  const person = toPerson(node);
  if (person === undefined) return undefined;
  const role = memberRoles.find((known) => known === node.attrs['type']) ?? 'member';
  return { ...toContact(person.address, person.alias), role };
}

/** The first entries of a list that take no more than so many bytes as JSON. */
export function fitInto<Entry>(
  entries: readonly Entry[],
  bytes: number,
): { readonly shown: Entry[]; readonly complete: boolean } {
  let left = bytes;
  const end = entries.findIndex((entry) => {
    left -= Buffer.byteLength(JSON.stringify(entry)) + 1;
    return left < 0;
  });
  return { shown: entries.slice(0, end === -1 ? entries.length : end), complete: end === -1 };
}
