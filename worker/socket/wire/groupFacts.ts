import {
  getAllBinaryNodeChildren,
  getBinaryNodeChild,
  getBinaryNodeChildren,
  type BinaryNode,
} from '@whiskeysockets/baileys';
import { isCode, linkOfCode } from '../../../shared/action/kinds/groupInvites.ts';
import {
  groupNoticeKey,
  type GroupChangeFact,
  type GroupChanges,
} from '../../../shared/event/facts/groupChangeFact.ts';
import {
  MOST_PARTICIPANTS,
  type FactParticipant,
  type GroupParticipantsFact,
  type ParticipantChange,
} from '../../../shared/event/facts/groupParticipantsFact.ts';
import { isPerson, otherNameOf, withoutDevice } from '../../../shared/kernel/jid.ts';
import { tableEntry } from '../../../shared/kernel/tableEntry.ts';
import { toChat } from '../../../shared/message/party.ts';
import { textIn } from './foreignText.ts';
import { descriptionOf, subjectOf, toAddMode, toCount, toGroup, toGroupAddress, toPerson } from './toGroup.ts';

export type GroupFact = GroupChangeFact | GroupParticipantsFact;

/** What is the same in all facts of one notice. */
type Head = Pick<GroupChangeFact, 'group' | 'by' | 'byAlias' | 'atMs'>;

/** How each kind of change is read; a kind that stands in neither table tells nothing. */
const changeReaders: Readonly<Record<string, (node: BinaryNode) => GroupChanges>> = {
  subject: ({ attrs: { subject } }) => (subject === undefined ? {} : { subject: subjectOf(subject) }),
  description: (node) => ({ description: descriptionOf(textIn(getBinaryNodeChild(node, 'body')?.content)) }),
  announcement: () => ({ announcement: true }),
  not_announcement: () => ({ announcement: false }),
  locked: () => ({ locked: true }),
  unlocked: () => ({ locked: false }),
  member_add_mode: ({ content }) => ({ member_add_mode: toAddMode(textIn(content)) }),
  membership_approval_mode: (node) => {
    const state = getBinaryNodeChild(node, 'group_join')?.attrs['state'];
    return { join_approval_mode: state === 'on' ? 'approval_required' : 'auto_approve' };
  },
  ephemeral: ({ attrs }) => {
    const seconds = toCount(attrs['expiration']);
    return seconds === undefined ? {} : { disappearing_seconds: seconds };
  },
  not_ephemeral: () => ({ disappearing_seconds: 0 }),
  invite: ({ attrs: { code } }) => (isCode(code) ? { invite_link: linkOfCode(code) } : {}),
  link: (node) => {
    const linked = toLinked(node, node.attrs['link_type']);
    return linked.length === 0 ? {} : { linked };
  },
  unlink: (node) => {
    const unlinked = toLinked(node, node.attrs['unlink_type']);
    return unlinked.length === 0 ? {} : { unlinked };
  },
  suspended: () => ({ suspended: true }),
  unsuspended: () => ({ suspended: false }),
  delete: () => ({ deleted: true }),
  create: (node) => {
    const made = getBinaryNodeChild(node, 'group');
    const group = made === undefined ? undefined : toGroup(made);
    const description = group?.description;
    if (group === undefined) return { joined: true };
    return {
      joined: true,
      subject: group.subject,
      ...(description === undefined ? {} : { description }),
      ...group.settings,
    };
  },
};

/** What becomes of the people whom a change names. */
const peopleChanges: Readonly<Record<string, ParticipantChange>> = {
  add: 'added',
  remove: 'removed',
  leave: 'left',
  promote: 'promoted',
  demote: 'demoted',
  modify: 'number_changed',
  created_membership_requests: 'requested',
  revoked_membership_requests: 'request_ended',
};

/** How a linked group stands to the one that the notice is about. */
const linkKinds = { sub_group: 'in_community', parent_group: 'community', sibling_group: 'beside' } as const;

function toLinked(node: BinaryNode, type = ''): NonNullable<GroupChanges['linked']> {
  const as = tableEntry(linkKinds, type);
  return getBinaryNodeChildren(node, 'group').flatMap(({ attrs }) => {
    const address = toGroupAddress(attrs['jid'] ?? attrs['id']);
    if (address === undefined) return [];
    const { subject } = attrs;
    return [
      {
        group: toChat(address),
        ...(as === undefined ? {} : { as }),
        ...(subject === undefined ? {} : { subject: subjectOf(subject) }),
      },
    ];
  });
}

/**
 * The facts of a notice about a group: one of all that has changed in it, and those of the people whom it names. None where it
 * is about no group, or tells nothing that is known here.
 */
export function toGroupFacts(notice: BinaryNode): readonly GroupFact[] {
  const group = toGroupAddress(notice.attrs['from']);
  const id = notice.attrs['id'];
  if (group === undefined || id === undefined || id === '') return [];
  const head = toHead(notice, group);
  const children = getAllBinaryNodeChildren(notice);
  const changes = children.reduce<GroupChanges>(
    (told, node) => ({ ...told, ...tableEntry(changeReaders, node.tag)?.(node) }),
    {},
  );
  const changed: readonly GroupFact[] =
    Object.keys(changes).length === 0
      ? []
      : [{ kind: 'group_change', key: groupNoticeKey(group, id, 'changes'), ...head, changes }];
  return [...changed, ...children.flatMap((node, place) => toPeopleFacts(node, head, `${id}/${place}`))];
}

function toHead({ attrs }: BinaryNode, group: string): Head {
  const by = withoutDevice(attrs['participant'] ?? '');
  const alias = otherNameOf(by, [attrs['participant_pn'], attrs['participant_lid']]);
  return {
    group,
    ...(isPerson(by) ? { by, ...(alias === undefined ? {} : { byAlias: alias }) } : {}),
    atMs: Number(attrs['t'] ?? 0) * 1_000,
  };
}

function toPeopleFacts(node: BinaryNode, head: Head, id: string): readonly GroupParticipantsFact[] {
  const change = tableEntry(peopleChanges, node.tag);
  if (change === undefined) return [];
  const named = [...getBinaryNodeChildren(node, 'participant'), ...getBinaryNodeChildren(node, 'requested_user')];
  const people = named.flatMap((one) => toPerson(one) ?? []);
  const self = head.by === undefined ? [] : [{ address: head.by, ...(head.byAlias && { alias: head.byAlias }) }];
  // The notice alone may name who asks to join, or leaves.
  const told = people.length === 0 ? self : people;
  const via = node.attrs['reason'] ?? node.attrs['request_method'];
  const facts: GroupParticipantsFact[] = [];
  for (let from = 0; from < told.length; from += MOST_PARTICIPANTS) {
    facts.push({
      kind: 'group_participants',
      key: groupNoticeKey(head.group, id, `${node.tag}/${from}`),
      ...head,
      change: inDetail(change, told, head, via),
      ...(via === undefined ? {} : { via }),
      participants: told.slice(from, from + MOST_PARTICIPANTS),
    });
  }
  return facts;
}

/** The change in detail: who removes himself has left, and who comes by a link has joined. */
function inDetail(
  change: ParticipantChange,
  people: readonly FactParticipant[],
  { by, byAlias }: Head,
  via: string | undefined,
): ParticipantChange {
  const [first, ...others] = people;
  const isBySelf =
    first !== undefined && others.length === 0 && by !== undefined && [by, byAlias].includes(first.address);
  if (change === 'removed' && isBySelf) return 'left';
  return change === 'added' && (isBySelf || via === 'invite') ? 'joined' : change;
}

/** The fact of a notice that the picture of a group has changed; undefined for that of anybody else. */
export function toGroupPictureFact(notice: BinaryNode): GroupChangeFact | undefined {
  const group = toGroupAddress(notice.attrs['from']);
  const id = notice.attrs['id'];
  const set = getBinaryNodeChild(notice, 'set');
  const change = set ?? getBinaryNodeChild(notice, 'delete');
  if (group === undefined || id === undefined || id === '' || change === undefined) return undefined;
  const by = withoutDevice(change.attrs['author'] ?? '');
  const pictureId = set?.attrs['id'];
  return {
    kind: 'group_change',
    key: groupNoticeKey(group, id, 'picture'),
    atMs: Number(notice.attrs['t'] ?? 0) * 1_000,
    group,
    ...(isPerson(by) ? { by } : {}),
    changes: {
      picture: set === undefined ? 'removed' : 'set',
      ...(pictureId === undefined ? {} : { pictureId }),
    },
  };
}
