import { proto } from '@whiskeysockets/baileys';
import type { BodyOf } from '../../../../shared/content/content.ts';
import { toSeconds } from '../seconds.ts';
import type { Spoken } from '../spokenKind.ts';

type Invite = BodyOf<'group_invite'>;

const { DEFAULT, PARENT } = proto.Message.GroupInviteMessage.GroupType;

function toInvite(asked: Invite): proto.Message.IGroupInviteMessage {
  const { group_name: groupName, caption, expires_at: expiry } = asked;
  return {
    groupJid: asked.group_id,
    inviteCode: asked.code,
    groupType: asked.community === true ? PARENT : DEFAULT,
    ...(groupName === undefined ? {} : { groupName }),
    ...(caption === undefined ? {} : { caption }),
    ...(expiry === undefined ? {} : { inviteExpiration: toSeconds(expiry) }),
  };
}

export const groupInvite = {
  toWire: (asked, { contextInfo }) => ({
    message: { groupInviteMessage: { ...toInvite(asked), ...(contextInfo === undefined ? {} : { contextInfo }) } },
  }),
  toQuoted: (body) => ({ groupInviteMessage: toInvite(body) }),
} as const satisfies Spoken<Invite>;
