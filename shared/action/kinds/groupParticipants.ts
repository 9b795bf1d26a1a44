import { z } from 'zod';
import { actionRow } from '../actionRow.ts';
import {
  exampleGroup,
  exampleMember,
  groupAddress,
  groupChange,
  groupRead,
  ofGroup,
  peopleAddresses,
  personOutcome,
} from '../groupFields.ts';
import { contactSchema } from '../../message/party.ts';

/** The people of a group: who is in it, who administers it, and who asks to come in. The outcome is that of each person. */
const request = z.strictObject({ group: groupAddress, participants: peopleAddresses });
const result = z.object({ ...ofGroup, participants: z.array(personOutcome) });
const input = '+4915123456789';
const done = { input, contact: exampleMember, outcome: 'done' } as const;
const example = {
  request: { group: exampleGroup.id, participants: [input] },
  result: { group: exampleGroup, participants: [done] },
};
const common = { ...groupChange, request, result, example } as const;
const EACH =
  '`participants` says what has become of each person, in the order of the request. WhatsApp refuses all of it where the account is no administrator.';

export const groupParticipantsAdd = actionRow({
  ...common,
  kind: 'group_participants_add',
  path: 'groups/{group}/participants/add',
  summary: 'Add people to a group',
  description: `${EACH} Who lets nobody add them gets \`invitation_needed\`, with the code of an invitation that is for this person alone. Strangers who are added may report the account.`,
  example: {
    request: { group: exampleGroup.id, participants: [input, '+4915187654321'] },
    result: {
      group: exampleGroup,
      participants: [
        done,
        {
          input: '+4915187654321',
          contact: { id: '887766554433@lid', phoneNumber: '+4915187654321', lid: '887766554433@lid' },
          outcome: 'invitation_needed',
          whatsappCode: 403,
          invite: { code: 'ABcd12EFgh34', expires_at: '2026-08-04T12:00:05.000Z' },
        },
      ],
    },
  },
});

export const groupParticipantsRemove = actionRow({
  ...common,
  kind: 'group_participants_remove',
  path: 'groups/{group}/participants/remove',
  summary: 'Remove people from a group',
  description: `${EACH} Who was removed reads nothing that is sent from then on: the next message is sealed anew for those who are left.`,
});

export const groupParticipantsPromote = actionRow({
  ...common,
  kind: 'group_participants_promote',
  path: 'groups/{group}/participants/promote',
  summary: 'Make people administrators of a group',
  description: EACH,
});

export const groupParticipantsDemote = actionRow({
  ...common,
  kind: 'group_participants_demote',
  path: 'groups/{group}/participants/demote',
  summary: 'Make people administrators of a group no longer',
  description: `${EACH} Who made the group cannot be demoted.`,
});

export const groupRequestsList = actionRow({
  ...groupRead,
  kind: 'group_requests_list',
  path: 'groups/{group}/join-requests',
  summary: 'List who asks to join a group',
  description:
    'WhatsApp is asked. A request is known by its person: approve or reject it with the `id`. At most 500 are shown.',
  request: z.strictObject({ group: groupAddress }),
  result: z.object({
    ...ofGroup,
    join_requests: z.array(
      z.object({
        id: z.string().meta({ description: 'The address of who asks.' }),
        contact: contactSchema,
        requested_at: z.iso.datetime().optional(),
        via: z.string().optional().meta({ description: "How, in WhatsApp's word for it.", example: 'invite_link' }),
      }),
    ),
    complete: z.boolean(),
  }),
  example: {
    request: { group: exampleGroup.id },
    result: {
      group: exampleGroup,
      join_requests: [
        { id: exampleMember.id, contact: exampleMember, requested_at: '2026-08-01T12:00:05.000Z', via: 'invite_link' },
      ],
      complete: true,
    },
  },
});

const requests = z.strictObject({
  group: groupAddress,
  join_requests: peopleAddresses.meta({ description: 'The people whose requests they are, by `id` or phone number.' }),
});
const judged = z.object({ ...ofGroup, join_requests: z.array(personOutcome) });
const judgedExample = {
  request: { group: exampleGroup.id, join_requests: [exampleMember.id] },
  result: {
    group: exampleGroup,
    join_requests: [{ input: exampleMember.id, contact: exampleMember, outcome: 'done' as const }],
  },
};

export const groupRequestsApprove = actionRow({
  ...groupChange,
  kind: 'group_requests_approve',
  path: 'groups/{group}/join-requests/approve',
  summary: 'Let people into a group who ask to join it',
  description: 'The outcome is that of each: a request that was taken back meanwhile is refused (404).',
  request: requests,
  result: judged,
  example: judgedExample,
});

export const groupRequestsReject = actionRow({
  ...groupChange,
  kind: 'group_requests_reject',
  path: 'groups/{group}/join-requests/reject',
  summary: 'Refuse people who ask to join a group',
  description: 'The outcome is that of each. WhatsApp does not tell them; they may ask again.',
  request: requests,
  result: judged,
  example: judgedExample,
});
