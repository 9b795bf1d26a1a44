import { child, children, node, type BinaryNode } from './node.ts';
import type { Group } from './group.ts';
import { describeGroup, type Asked, type GroupAnswer } from './groupNodes.ts';
import type { World } from './world.ts';
import { noteGroup } from './worldRecords.ts';

/** Answers about communities, in the forms that Baileys and whatsmeow read and write; undefined where it is about none. */
export function answerAboutCommunity(asked: Asked): GroupAnswer | undefined {
  const { tag } = asked.request;
  if (tag === 'sub_groups') return listGroups(asked);
  if (tag === 'links') return link(asked);
  if (tag === 'unlink') return unlink(asked);
  return undefined;
}

function groupsOf(world: World, { id }: Group): readonly Group[] {
  return [...world.groups.values()].filter(({ community }) => community === id);
}

function listGroups({ groups: { world }, group }: Asked): GroupAnswer {
  if (!group.isCommunity) return { error: 404 };
  const listed = groupsOf(world, group).map((one) => describeGroup(world, one, 'outside'));
  return [node('sub_groups', {}, [...listed])];
}

function link(asked: Asked): GroupAnswer {
  const { groups, group, actor, request, by } = asked;
  const { world } = groups;
  if (!group.isCommunity) return { error: 404 };
  if (group.members.get(actor.number) === 'member') return { error: 403 };
  const named = children(child(request, 'link'), 'group');
  const answers = named.map(({ attrs: { jid = '' } }): BinaryNode => {
    const other = world.groups.get(jid);
    const role = other?.members.get(actor.number) ?? 'member';
    const error = other === undefined ? '404' : role === 'member' ? '403' : other.community === undefined ? '' : '409';
    if (other === undefined || error !== '') return node('group', { jid, error });
    other.community = group.id;
    noteGroup(world, other);
    const to = (one: Group): BinaryNode => node('group', { jid: one.id, subject: one.subject });
    groups.tell(group, actor, node('link', { link_type: 'sub_group' }, [to(other)]), [...group.members.keys()], by);
    groups.tell(other, actor, node('link', { link_type: 'parent_group' }, [to(group)]), [...other.members.keys()], by);
    return node('group', { jid });
  });
  return [node('links', {}, [node('link', { link_type: 'sub_group' }, [...answers])])];
}

function unlink(asked: Asked): GroupAnswer {
  const { groups, group, actor, request, by } = asked;
  const { world } = groups;
  if (!group.isCommunity) return { error: 404 };
  if (group.members.get(actor.number) === 'member') return { error: 403 };
  const answers = children(request, 'group').map(({ attrs: { jid = '' } }): BinaryNode => {
    const other = world.groups.get(jid);
    if (other === undefined || other.community !== group.id) return node('group', { jid, error: '404' });
    if (other.isAnnouncements) return node('group', { jid, error: '403' });
    other.community = undefined;
    noteGroup(world, other);
    const to = (one: Group): BinaryNode => node('group', { jid: one.id, subject: one.subject });
    const said = { unlink_reason: 'unlink_group' };
    const below = node('unlink', { unlink_type: 'sub_group', ...said }, [to(other)]);
    const above = node('unlink', { unlink_type: 'parent_group', ...said }, [to(group)]);
    groups.tell(group, actor, below, [...group.members.keys()], by);
    groups.tell(other, actor, above, [...other.members.keys()], by);
    return node('group', { jid });
  });
  return [node('unlink', { unlink_type: 'sub_group' }, [...answers])];
}
