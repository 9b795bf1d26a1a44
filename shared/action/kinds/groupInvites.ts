import { z } from 'zod';
import { chatSchema } from '../../message/party.ts';
import { actionRow } from '../actionRow.ts';
import {
  exampleGroup,
  exampleView,
  groupAddress,
  groupChange,
  groupRead,
  groupSchema,
  ofGroup,
  personAddress,
} from '../groupFields.ts';

/** The link by which anybody may join a group, and invitations of one person. */
const LINK = /^(?:https?:\/\/chat\.whatsapp\.com\/(?:invite\/)?)?([\w-]{8,64})(?:\?[^#\s]{0,200})?$/;
const invite_link = z
  .string()
  .max(320)
  .regex(LINK, 'must be a link https://chat.whatsapp.com/…, or its code alone')
  .meta({
    description: 'A link to join a group, or its code alone.',
    example: 'https://chat.whatsapp.com/BcDeFgHiJkLm0123456789',
  });
const shownLink = z.string().meta({ example: 'https://chat.whatsapp.com/BcDeFgHiJkLm0123456789' });
const exampleLink = 'https://chat.whatsapp.com/BcDeFgHiJkLm0123456789';

/** The code in a link, or in what is a code alone. */
export function codeOfLink(link: string): string {
  return LINK.exec(link)?.[1] ?? link;
}

/** Whether something of WhatsApp's is the code of a link or an invitation: what is none is not made a link of. */
export function isCode(code: string | undefined): code is string {
  return code !== undefined && /^[\w-]{1,64}$/.test(code);
}

/** The link of a code, as phones write it. */
export function linkOfCode(code: string): string {
  return `https://chat.whatsapp.com/${code}`;
}

const linkOf = {
  request: z.strictObject({ group: groupAddress }),
  result: z.object({ ...ofGroup, invite_link: shownLink }),
  example: { request: { group: exampleGroup.id }, result: { group: exampleGroup, invite_link: exampleLink } },
} as const;

export const groupInviteFind = actionRow({
  ...groupRead,
  ...linkOf,
  kind: 'group_invite_find',
  path: 'groups/{group}/invite-link',
  summary: 'Look up the link by which anybody may join a group',
  description: 'WhatsApp gives it to administrators, and refuses others (401).',
});

export const groupInviteReset = actionRow({
  ...groupChange,
  ...linkOf,
  kind: 'group_invite_reset',
  path: 'groups/{group}/invite-link/reset',
  summary: 'Make a new link to a group, so that the old one ends',
  description: 'Who has the old link cannot join by it any more. The answer has the new one.',
});

export const groupInvitePreview = actionRow({
  ...groupRead,
  kind: 'group_invite_preview',
  method: 'POST',
  path: 'group-invites/preview',
  summary: 'Look at the group behind a link, without joining it',
  description: 'WhatsApp refuses a link that was never one (406), and one that was reset (410).',
  request: z.strictObject({ invite_link }),
  result: z.object({ group: groupSchema }),
  example: { request: { invite_link: exampleLink }, result: { group: exampleView } },
  budget: { burst: 3, perSecond: 0.1 },
});

const joined = z.object({
  group: chatSchema,
  joined: z.boolean().meta({ description: 'False where an administrator has to let the account in first.' }),
});

export const groupInviteJoin = actionRow({
  ...groupChange,
  kind: 'group_invite_join',
  path: 'group-invites/join',
  summary: 'Join a group by its link',
  description:
    'Where the group asks its administrators first, the account has asked to join: an event tells when it is let in.',
  request: z.strictObject({ invite_link }),
  result: joined,
  example: { request: { invite_link: exampleLink }, result: { group: exampleGroup, joined: true } },
  budget: { burst: 2, perSecond: 0.02 },
});

export const groupInvitationAccept = actionRow({
  ...groupChange,
  kind: 'group_invitation_accept',
  path: 'groups/{group}/invitations/accept',
  summary: 'Accept an invitation that came as a message',
  description:
    'A message `group_invite` has `group_id`, `code` and `expires_at`; `inviter` is its sender. It is for this account alone.',
  request: z.strictObject({
    group: groupAddress,
    code: z.string().regex(/^[\w-]{1,64}$/, 'must be the code of an invitation: letters and digits'),
    inviter: personAddress.meta({ description: 'Who sent the invitation.' }),
    code_expires_at: z.iso
      .datetime({ offset: true })
      .meta({ description: '`expires_at` of the message: until when the code may be used.' }),
  }),
  result: joined,
  example: {
    request: {
      group: exampleGroup.id,
      code: 'ABcd12EFgh34',
      inviter: '+4915123456789',
      code_expires_at: '2026-12-24T18:00:00.000Z',
    },
    result: { group: exampleGroup, joined: true },
  },
  budget: { burst: 2, perSecond: 0.02 },
});
