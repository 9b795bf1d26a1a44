import { getBinaryNodeChild, getBinaryNodeChildren } from '@whiskeysockets/baileys';
import { toGroupInShort } from '../wire/toGroup.ts';
import { descriptionNodes, found } from './askGroups.ts';
import type { Ask } from './asking.ts';
import { ALL_GROUPS, aNode, askGroups, changeGroup, toTarget } from './groupQuery.ts';

/** Communities, which WhatsApp keeps as groups that others are linked to. */
const MOST_GROUPS = 200;

export const askCommunityCreate: Ask<'community_create'> = async (asking, { subject, description }) => {
  const create = aNode('create', { subject, key: asking.makeTag() }, [
    ...descriptionNodes(asking, description),
    aNode('parent', { default_membership_approval_mode: 'request_required' }),
    aNode('allow_non_admin_sub_group_creation'),
    aNode('create_general_chat'),
  ]);
  const made = found(await askGroups(asking, 'set', ALL_GROUPS, create));
  return made.outcome === 'unanswered' ? made : { outcome: 'succeeded', result: { community: made.result.group } };
};

export const askCommunityGroupsList: Ask<'community_groups_list'> = async (asking, { community: written }) => {
  const { address, group: community } = toTarget(written);
  const listed = getBinaryNodeChild(await askGroups(asking, 'get', address, aNode('sub_groups')), 'sub_groups');
  if (listed === undefined) return { outcome: 'unanswered' };
  const all = getBinaryNodeChildren(listed, 'group').flatMap((node) => toGroupInShort(node) ?? []);
  const groups = all.slice(0, MOST_GROUPS).map((group) => ({ ...group, community: address }));
  return { outcome: 'succeeded', result: { community, groups, complete: all.length <= MOST_GROUPS } };
};

export const askCommunityGroupLink: Ask<'community_group_link'> = async (asking, request) => {
  const { address, group: community } = toTarget(request.community);
  const { address: jid, group } = toTarget(request.group);
  const link = aNode('link', { link_type: 'sub_group' }, [aNode('group', { jid })]);
  const answer = await changeGroup(asking, address, aNode('links', {}, [link]));
  asking.groups.forget(jid);
  const said = getBinaryNodeChild(getBinaryNodeChild(answer, 'links'), 'link');
  const code = Number(getBinaryNodeChild(said, 'group')?.attrs['error']);
  if (code > 0) return { outcome: 'refused', error: { code: 'refused', whatsappCode: code } };
  return { outcome: 'succeeded', result: { community, group, linked: true } };
};

export const askCommunityGroupUnlink: Ask<'community_group_unlink'> = async (asking, request) => {
  const { address, group: community } = toTarget(request.community);
  const { address: jid, group } = toTarget(request.group);
  const answer = await changeGroup(
    asking,
    address,
    aNode('unlink', { unlink_type: 'sub_group' }, [aNode('group', { jid })]),
  );
  asking.groups.forget(jid);
  const code = Number(getBinaryNodeChild(getBinaryNodeChild(answer, 'unlink'), 'group')?.attrs['error']);
  if (code > 0) return { outcome: 'refused', error: { code: 'refused', whatsappCode: code } };
  return { outcome: 'succeeded', result: { community, group, linked: false } };
};
