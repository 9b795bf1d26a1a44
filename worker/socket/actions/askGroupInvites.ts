import { getBinaryNodeChild, type BinaryNode } from '@whiskeysockets/baileys';
import { codeOfLink, isCode, linkOfCode } from '../../../shared/action/kinds/groupInvites.ts';
import { toChat } from '../../../shared/message/party.ts';
import { groupIn, toGroupAddress } from '../wire/toGroup.ts';
import { toSeconds } from '../wire/seconds.ts';
import { found } from './askGroups.ts';
import type { Ask, Asking } from './asking.ts';
import { ALL_GROUPS, aNode, askGroups, changeGroup, toTarget } from './groupQuery.ts';
import { findPeople } from './namedPeople.ts';

/** Links to groups, and invitations of one person. */

export const askGroupInviteFind: Ask<'group_invite_find'> = async (asking, { group: written }) => {
  const { address, group } = toTarget(written);
  return linkIn(group, await askGroups(asking, 'get', address, aNode('invite')));
};

export const askGroupInviteReset: Ask<'group_invite_reset'> = async (asking, { group: written }) => {
  const { address, group } = toTarget(written);
  return linkIn(group, await changeGroup(asking, address, aNode('invite')));
};

function linkIn(group: { readonly id: string }, answer: BinaryNode) {
  const code = getBinaryNodeChild(answer, 'invite')?.attrs['code'];
  if (!isCode(code)) return { outcome: 'unanswered' } as const;
  return { outcome: 'succeeded', result: { group, invite_link: linkOfCode(code) } } as const;
}

export const askGroupInvitePreview: Ask<'group_invite_preview'> = async (asking, { invite_link: link }) =>
  found(await askGroups(asking, 'get', ALL_GROUPS, aNode('invite', { code: codeOfLink(link) })));

export const askGroupInviteJoin: Ask<'group_invite_join'> = async (asking, { invite_link: link }) =>
  joinedBy(asking, await askGroups(asking, 'set', ALL_GROUPS, aNode('invite', { code: codeOfLink(link) })));

/** WhatsApp names the group: as one that the account is in now, or as one that it has asked to join. */
function joinedBy(asking: Pick<Asking, 'groups'>, answer: BinaryNode) {
  const asked = getBinaryNodeChild(answer, 'membership_approval_request');
  const { jid, id } = (asked ?? groupIn(answer))?.attrs ?? {};
  const address = toGroupAddress(jid ?? id);
  if (address === undefined) return { outcome: 'unanswered' } as const;
  asking.groups.forget(address);
  return { outcome: 'succeeded', result: { group: toChat(address), joined: asked === undefined } } as const;
}

export const askGroupInvitationAccept: Ask<'group_invitation_accept'> = async (asking, request) => {
  const { address, group } = toTarget(request.group);
  const [inviter] = await findPeople(asking, [request.inviter]);
  const admin = inviter?.names[0];
  if (admin === undefined) return { outcome: 'refused', error: { code: 'recipient_has_no_account' } };
  const attrs = { code: request.code, expiration: String(toSeconds(request.code_expires_at)), admin };
  const answer = await changeGroup(asking, address, aNode('accept', attrs));
  const isAsked = getBinaryNodeChild(answer, 'membership_approval_request') !== undefined;
  return { outcome: 'succeeded', result: { group, joined: !isAsked } };
};
