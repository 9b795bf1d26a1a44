import { firstCharacters } from '../../shared/kernel/firstCharacters.ts';
import { bytesOf, child, children, node, stamp, type BinaryNode } from './node.ts';
import { makeCode, type Group, type Invitation } from './group.ts';
import { answerAboutCommunity } from './communities.ts';
import {
  describeGroup,
  toParticipant,
  type Asked,
  type Change,
  type GroupAnswer,
  type GroupWorld,
} from './groupNodes.ts';
import { findAddress, jidOf, WHATSAPP, type Account, type LinkedDevice, type World } from './world.ts';
import { noteGroup } from './worldRecords.ts';

/**
 * Answers about groups (xmlns `w:g2`), in the forms that Baileys and whatsmeow read and write. Which number refuses what is
 * believed: 400 a group to be made of somebody twice, or of its own maker, 401 what an administrator alone may ask, 403 who may not, 404 what is not there, 406 what is too long, 409 what somebody
 * else has changed or is so already, 410 a link that was reset.
 */
const MOST_SUBJECT = 100;
const INVITED_SECONDS = 3 * 86_400;
const isChange = (tag: string): tag is Change => ['add', 'remove', 'promote', 'demote'].includes(tag);

export function answerAboutGroup(
  groups: GroupWorld,
  actor: Account,
  query: BinaryNode,
  by: LinkedDevice | undefined,
): GroupAnswer {
  const { world } = groups;
  const [request] = children(query);
  const { type = '', to = '' } = query.attrs;
  if (request === undefined) return { error: 400 };
  if (to === '@g.us') return answerAll(groups, actor, { request, type, by });
  const group = world.groups.get(to);
  if (group === undefined) return { error: 404 };
  if (request.tag === 'accept') return accept(groups, group, actor, request, by);
  if (!group.members.has(actor.number)) return { error: 403 };
  const asked = { groups, group, actor, request, type, by };
  return answerAboutCommunity(asked) ?? answerAboutOne(asked);
}

/** What is asked of no group, or of one that the account may not be in. */
function answerAll(
  groups: GroupWorld,
  actor: Account,
  { request, type, by }: Pick<Asked, 'request' | 'type' | 'by'>,
): GroupAnswer {
  const { world } = groups;
  switch (request.tag) {
    case 'participating': {
      const mine = [...world.groups.values()].filter(({ members }) => members.has(actor.number));
      return [
        node(
          'groups',
          {},
          mine.map((group) => describeGroup(world, group)),
        ),
      ];
    }
    case 'create':
      return create(groups, actor, request, by);
    case 'leave': {
      const group = world.groups.get(child(request, 'group')?.attrs['id'] ?? '');
      if (group === undefined) return { error: 404 };
      if (!group.members.has(actor.number)) return { error: 403 };
      groups.change(group, actor, 'remove', [actor], by);
      return [node('leave', {}, [node('group', { id: group.id })])];
    }
    case 'invite':
      return answerLink(groups, actor, request.attrs['code'] ?? '', type, by);
    default:
      return { error: 400 };
  }
}

function create(groups: GroupWorld, actor: Account, request: BinaryNode, by: LinkedDevice | undefined): GroupAnswer {
  const { subject = '' } = request.attrs;
  if (firstCharacters(subject, MOST_SUBJECT) !== subject || subject === '') return { error: 406 };
  const community = child(request, 'linked_parent')?.attrs['jid'];
  if (community !== undefined && groups.world.groups.get(community)?.isCommunity !== true) return { error: 404 };
  const named = namedIn(groups.world, request);
  if (new Set([actor, ...named]).size <= named.length) return { error: 400 };
  const others = named.filter(({ number }) => !groups.isClosed(number));
  const closed = named.filter(({ number }) => groups.isClosed(number));
  const described = child(request, 'description');
  const text = described && bytesOf(described, 'body')?.toString();
  const isCommunity = child(request, 'parent') !== undefined;
  const draft = {
    subject,
    others,
    settings: {
      announcement: child(request, 'announcement') !== undefined,
      locked: child(request, 'locked') !== undefined,
      approval: child(request, 'membership_approval_mode') !== undefined,
      ephemeral: Number(child(request, 'ephemeral')?.attrs['expiration'] ?? 0),
    },
    community,
    isCommunity,
    ...(text === undefined ? {} : { description: { id: described?.attrs['id'] ?? '', text } }),
  };
  const group = groups.make(actor, draft, by);
  if (isCommunity) {
    const settings = { announcement: true };
    groups.make(actor, { subject, others: [], isAnnouncements: true, community: group.id, settings }, by);
  }
  const made = describeGroup(groups.world, group);
  const refused = closed.map((account) => invite(groups, group, account));
  return [{ ...made, content: [...children(made), ...refused] }];
}

/** A person whom nobody may add, with the code of an invitation. */
function invite({ world }: GroupWorld, group: Group, account: Account): BinaryNode {
  const invitation: Invitation = {
    code: makeCode().slice(0, 16),
    number: account.number,
    expiresAt: Number(stamp()) + INVITED_SECONDS,
  };
  group.invitations.push(invitation);
  noteGroup(world, group);
  const { code, expiresAt } = invitation;
  return refusedParticipant(account, 403, [node('add_request', { code, expiration: String(expiresAt) })]);
}

function refusedParticipant(account: Account, error: number, content: BinaryNode[] = []): BinaryNode {
  const participant = toParticipant(account);
  return { ...participant, attrs: { ...participant.attrs, error: String(error) }, content };
}

function accept(
  groups: GroupWorld,
  group: Group,
  actor: Account,
  { attrs }: BinaryNode,
  by: LinkedDevice | undefined,
): GroupAnswer {
  const found = group.invitations.find(({ code, number }) => code === attrs['code'] && number === actor.number);
  if (found === undefined || String(found.expiresAt) !== attrs['expiration']) return { error: 401 };
  const admin = findAddress(groups.world, attrs['admin'])?.account;
  if (admin === undefined || (group.members.get(admin.number) ?? 'member') === 'member') return { error: 403 };
  group.invitations.splice(group.invitations.indexOf(found), 1);
  groups.letIn(group, [actor], actor, 'invite', by);
  return [];
}

function answerLink(
  groups: GroupWorld,
  actor: Account,
  code: string,
  type: string,
  by: LinkedDevice | undefined,
): GroupAnswer {
  const all = [...groups.world.groups.values()];
  if (all.some(({ oldCodes }) => oldCodes.includes(code))) return { error: 410 };
  const group = all.find((one) => one.code === code);
  if (group === undefined) return { error: 406 };
  // A look from outside shows the size of the group, and nobody who is in it.
  if (type === 'get') return [describeGroup(groups.world, group, 'outside')];
  if (group.members.has(actor.number)) return { error: 409 };
  if (!group.settings.approval) {
    groups.letIn(group, [actor], actor, 'invite', by);
    return [node('group', { jid: group.id })];
  }
  group.requests.set(actor.number, stamp());
  noteGroup(groups.world, group);
  const admins = [...group.members].filter(([, role]) => role !== 'member').map(([number]) => number);
  const asks = node('requested_user', { jid: jidOf(actor, 0, 'lid'), phone_number: jidOf(actor, 0, WHATSAPP) });
  const what = node('created_membership_requests', { request_method: 'invite_link' }, [asks]);
  groups.tell(group, actor, what, admins, by);
  return [node('membership_approval_request', { jid: group.id })];
}

function answerAboutOne(asked: Asked): GroupAnswer {
  const { groups, group, actor, request, type, by } = asked;
  const isAdmin = group.members.get(actor.number) !== 'member';
  if (request.tag === 'query') return [describeGroup(groups.world, group)];
  if (isChange(request.tag)) return changePeople(asked, request.tag);
  if (request.tag === 'invite') {
    if (!isAdmin) return { error: 401 };
    if (type === 'set') {
      group.oldCodes.push(group.code);
      group.code = makeCode();
      noteGroup(groups.world, group);
      groups.tell(group, actor, node('invite', { code: group.code }), [...group.members.keys()], by);
    }
    return [node('invite', { code: group.code })];
  }
  if (request.tag === 'membership_approval_requests') return isAdmin ? [requestsOf(asked)] : { error: 401 };
  if (request.tag === 'membership_requests_action') return isAdmin ? judgeRequests(asked) : { error: 401 };
  return changeSetting(asked, isAdmin);
}

function changePeople(asked: Asked, change: Change): GroupAnswer {
  const { groups, group, actor, request, by } = asked;
  const accounts = namedIn(groups.world, request);
  const unknown = children(request, 'participant').filter(
    ({ attrs }) => findAddress(groups.world, attrs['jid']) === undefined,
  );
  const addable = change === 'add' ? accounts.filter(({ number }) => !groups.isClosed(number)) : accounts;
  const changed = groups.change(group, actor, change, addable, by);
  if (changed === undefined) return { error: 403 };
  const answers = accounts.map((account) => {
    if (changed.includes(account)) return toParticipant(account);
    const isClosed = change === 'add' && groups.isClosed(account.number) && !group.members.has(account.number);
    return isClosed ? invite(groups, group, account) : refusedParticipant(account, change === 'add' ? 409 : 404);
  });
  const missing = unknown.map(({ attrs }) => node('participant', { jid: attrs['jid'] ?? '', error: '404' }));
  return [node(change, {}, [...answers, ...missing])];
}

function requestsOf({ groups, group }: Asked): BinaryNode {
  const asking = [...group.requests].flatMap(([number, at]) => {
    const account = groups.world.accounts.get(number);
    if (account === undefined) return [];
    const attrs = { ...toParticipant(account).attrs, request_time: at, request_method: 'invite_link' };
    return [node('membership_approval_request', attrs)];
  });
  return node('membership_approval_requests', {}, asking);
}

function judgeRequests({ groups, group, actor, request, by }: Asked): GroupAnswer {
  const [action] = children(request);
  if (action === undefined || (action.tag !== 'approve' && action.tag !== 'reject')) return { error: 400 };
  const answers = namedIn(groups.world, action).map((account) => {
    if (!group.requests.has(account.number)) return refusedParticipant(account, 404);
    if (action.tag === 'approve') groups.letIn(group, [account], actor, 'approved', by);
    group.requests.delete(account.number);
    return toParticipant(account);
  });
  noteGroup(groups.world, group);
  if (action.tag === 'reject') {
    const admins = [...group.members].filter(([, role]) => role !== 'member').map(([number]) => number);
    groups.tell(group, actor, node('revoked_membership_requests', {}, [...children(action)]), admins, by);
  }
  return [node('membership_requests_action', {}, [node(action.tag, {}, answers)])];
}

/** What each request for a setting makes of it; undefined for one that is none. */
const settingOf: Readonly<Record<string, (request: BinaryNode) => Partial<Group['settings']>>> = {
  announcement: () => ({ announcement: true }),
  not_announcement: () => ({ announcement: false }),
  locked: () => ({ locked: true }),
  unlocked: () => ({ locked: false }),
  ephemeral: ({ attrs }) => ({ ephemeral: Number(attrs['expiration']) }),
  not_ephemeral: () => ({ ephemeral: 0 }),
  membership_approval_mode: (request) => ({ approval: child(request, 'group_join')?.attrs['state'] === 'on' }),
  member_add_mode: (request) => ({
    memberAddMode: textOf(request) === 'all_member_add' ? 'all_member_add' : 'admin_add',
  }),
};

function changeSetting({ groups, group, actor, request, by }: Asked, isAdmin: boolean): GroupAnswer {
  const tell = (what: BinaryNode): GroupAnswer => {
    noteGroup(groups.world, group);
    groups.tell(group, actor, what, [...group.members.keys()], by);
    return [];
  };
  const setting = settingOf[request.tag]?.(request);
  if (setting !== undefined) {
    if (!isAdmin) return { error: 403 };
    Object.assign(group.settings, setting);
    return tell(request);
  }
  if (group.settings.locked && !isAdmin) return { error: 403 };
  if (request.tag === 'subject') {
    const subject = textOf(request);
    if (firstCharacters(subject, MOST_SUBJECT) !== subject || subject === '') return { error: 406 };
    group.subject = subject;
    return tell(node('subject', { subject, s_t: stamp(), s_o: jidOf(actor, 0, 'lid') }));
  }
  if (request.tag !== 'description') return { error: 400 };
  if (request.attrs['prev'] !== group.description?.id) return { error: 409 };
  const text = bytesOf(request, 'body')?.toString();
  group.description = text === undefined ? undefined : { id: request.attrs['id'] ?? '', text };
  return tell(text === undefined ? node('description', { ...request.attrs }, [node('delete')]) : request);
}

function textOf({ content }: BinaryNode): string {
  if (content instanceof Uint8Array) return Buffer.from(content).toString();
  return typeof content === 'string' ? content : '';
}

function namedIn(world: World, request: BinaryNode): readonly Account[] {
  return children(request, 'participant').flatMap(({ attrs }) => findAddress(world, attrs['jid'])?.account ?? []);
}
