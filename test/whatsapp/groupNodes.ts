import { node, type BinaryNode } from './node.ts';
import type { Group } from './group.ts';
import { jidOf, WHATSAPP, type Account, type LinkedDevice, type World } from './world.ts';

/** Groups as the server writes them, and what a query about them is answered with. */
export type GroupAnswer = readonly BinaryNode[] | { readonly error: number };

export type Change = 'add' | 'remove' | 'promote' | 'demote';

export interface GroupDraft {
  readonly subject: string;
  readonly others: readonly Account[];
  readonly description?: Group['description'];
  readonly settings?: Partial<Group['settings']>;
  readonly isCommunity?: boolean;
  readonly isAnnouncements?: boolean;
  readonly community?: string | undefined;
}

/** The groups, as answers read and change them. */
export interface GroupWorld {
  readonly world: World;
  readonly isClosed: (number: string) => boolean;
  readonly make: (creator: Account, draft: GroupDraft, by?: LinkedDevice) => Group;
  readonly change: (
    group: Group,
    actor: Account,
    change: Change,
    accounts: readonly Account[],
    by?: LinkedDevice,
  ) => readonly Account[] | undefined;
  readonly letIn: (
    group: Group,
    accounts: readonly Account[],
    actor: Account,
    reason: string,
    by?: LinkedDevice,
  ) => void;
  readonly tell: (
    group: Group,
    actor: Account,
    what: BinaryNode,
    numbers: readonly string[],
    by?: LinkedDevice,
  ) => void;
}

/** A query that is about one group, of an account that is in it. */
export interface Asked {
  readonly groups: GroupWorld;
  readonly group: Group;
  readonly actor: Account;
  readonly request: BinaryNode;
  readonly type: string;
  readonly by: LinkedDevice | undefined;
}

export function toParticipant(account: Account): BinaryNode {
  return node('participant', { jid: jidOf(account, 0, 'lid'), phone_number: jidOf(account, 0, WHATSAPP) });
}

/** The group as who is in it sees it, or who looks at it from outside. */
export function describeGroup(world: World, group: Group, from: 'inside' | 'outside' = 'inside'): BinaryNode {
  const creator = world.accounts.get(group.creator);
  const participants = [...group.members].flatMap(([number, role]) => {
    const account = world.accounts.get(number);
    if (account === undefined) return [];
    const participant = toParticipant(account);
    return [role === 'member' ? participant : { ...participant, attrs: { ...participant.attrs, type: role } }];
  });
  const attrs = {
    id: group.id.split('@')[0] ?? '',
    subject: group.subject,
    s_t: group.createdAt,
    creation: group.createdAt,
    addressing_mode: 'lid',
    size: String(group.members.size),
    ...(creator === undefined
      ? {}
      : {
          s_o: jidOf(creator, 0, 'lid'),
          creator: jidOf(creator, 0, 'lid'),
          creator_pn: jidOf(creator, 0, WHATSAPP),
        }),
  };
  return node('group', attrs, [...settingsOf(group), ...(from === 'inside' ? participants : [])]);
}

function settingsOf(group: Group): readonly BinaryNode[] {
  const { settings, description, community } = group;
  const { announcement, locked, approval, ephemeral, memberAddMode } = settings;
  return [
    ...(description === undefined
      ? []
      : [
          node('description', { id: description.id, t: group.createdAt }, [
            node('body', {}, Buffer.from(description.text)),
          ]),
        ]),
    ...(announcement ? [node('announcement')] : []),
    ...(locked ? [node('locked')] : []),
    ...(approval ? [node('membership_approval_mode', {}, [node('group_join', { state: 'on' })])] : []),
    ...(ephemeral > 0 ? [node('ephemeral', { expiration: String(ephemeral) })] : []),
    node('member_add_mode', {}, Buffer.from(memberAddMode)),
    ...(group.isCommunity ? [node('parent', { default_membership_approval_mode: 'request_required' })] : []),
    ...(group.isAnnouncements ? [node('default_sub_group')] : []),
    ...(community === undefined ? [] : [node('linked_parent', { jid: community })]),
  ];
}
