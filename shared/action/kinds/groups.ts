import { z } from 'zod';
import { actionRow } from '../actionRow.ts';
import {
  description,
  exampleGroup,
  exampleInShort,
  exampleMember,
  exampleView,
  groupAddress,
  groupChange,
  groupInShort,
  groupRead,
  groupSchema,
  groupSettingNames,
  groupSettings,
  ofGroup,
  peopleAddresses,
  personOutcome,
  subject,
} from '../groupFields.ts';

/** Groups as such: which there are, what they are, and what they are called. */
export const groupList = actionRow({
  ...groupRead,
  kind: 'group_list',
  path: 'groups',
  summary: 'List the groups that the account is in',
  description:
    'WhatsApp is asked for all of them each time, and they are shown in the order of their addresses, as many as fit into an answer: with `hasMore` ask again after `next`. ' +
    '`GET …/groups/{group}` shows who is in one.',
  request: z.strictObject({
    after: groupAddress.optional().meta({ description: '`next` of the answer before.' }),
  }),
  result: z.object({ groups: z.array(groupInShort), hasMore: z.boolean(), next: z.string().optional() }),
  example: { request: {}, result: { groups: [exampleInShort], hasMore: false } },
  budget: { burst: 2, perSecond: 0.05 },
});

export const groupFind = actionRow({
  ...groupRead,
  kind: 'group_find',
  path: 'groups/{group}',
  summary: 'Look up a group: what it is, how it is set, and who is in it',
  description:
    'WhatsApp is asked. It refuses a group that is not there (404) and one that the account is not in (403).',
  request: z.strictObject({ group: groupAddress }),
  result: z.object({ group: groupSchema }),
  example: { request: { group: exampleGroup.id }, result: { group: exampleView } },
});

const { join_approval_mode, announcement, locked, disappearing_seconds } = groupSettings;

export const groupCreate = actionRow({
  ...groupChange,
  kind: 'group_create',
  path: 'groups',
  summary: 'Make a group',
  description:
    'The account is in it by itself, and is its administrator. `participants` says of each person what has become of them: who adds may be refused by the privacy of the person, who then may be sent an invitation. ' +
    'A worker that dies meanwhile leaves `outcome_unknown`: the list of groups shows whether there is one.',
  request: z.strictObject({
    subject,
    description: description.optional(),
    participants: peopleAddresses.optional(),
    join_approval_mode: join_approval_mode.optional(),
    announcement: announcement.optional(),
    locked: locked.optional(),
    disappearing_seconds: disappearing_seconds.optional(),
    community: groupAddress.optional().meta({ description: 'The community that the group is made in.' }),
  }),
  result: z.object({ group: groupSchema, participants: z.array(personOutcome) }),
  example: {
    request: { subject: 'Shop staff', participants: ['+4915123456789'] },
    result: {
      group: exampleView,
      participants: [{ input: '+4915123456789', contact: exampleMember, outcome: 'done' }],
    },
  },
  // WhatsApp restricts accounts that make many groups of strangers.
  budget: { burst: 3, perSecond: 0.02 },
});

export const groupSubjectSet = actionRow({
  ...groupChange,
  kind: 'group_subject_set',
  path: 'groups/{group}/subject',
  summary: 'Give a group another name',
  description:
    'The group shows who changed it. WhatsApp refuses it where only administrators may, and what is too long for it (406).',
  request: z.strictObject({ group: groupAddress, subject }),
  result: z.object({ ...ofGroup, subject: z.string() }),
  example: {
    request: { group: exampleGroup.id, subject: 'Shop staff' },
    result: { group: exampleGroup, subject: 'Shop staff' },
  },
});

export const groupDescriptionSet = actionRow({
  ...groupChange,
  kind: 'group_description_set',
  path: 'groups/{group}/description',
  summary: 'Give a group another description, or none',
  description:
    'An empty text removes it. It stands in place of the one that was there a moment before: WhatsApp refuses it (409) where somebody else was faster.',
  request: z.strictObject({ group: groupAddress, description }),
  result: z.object({ ...ofGroup, description: z.string() }),
  example: {
    request: { group: exampleGroup.id, description: 'Shifts and keys' },
    result: { group: exampleGroup, description: 'Shifts and keys' },
  },
});

const oneSetting = z
  .strictObject({
    announcement: announcement.optional(),
    locked: locked.optional(),
    member_add_mode: groupSettings.member_add_mode.optional(),
    join_approval_mode: join_approval_mode.optional(),
    disappearing_seconds: disappearing_seconds.optional(),
  })
  .refine((asked) => groupSettingNames.filter((name) => asked[name] !== undefined).length === 1, {
    error: 'must name exactly one setting: each is a change of its own',
  })
  .meta({ description: 'The setting, and what it is to be: exactly one.', example: { announcement: true } });

export const groupSettingsSet = actionRow({
  ...groupChange,
  kind: 'group_settings_set',
  path: 'groups/{group}/settings',
  summary: 'Change a setting of a group',
  description:
    'One at a time, so that the outcome is that of this one. WhatsApp refuses it where only administrators may.',
  request: z.strictObject({ group: groupAddress, settings: oneSetting }),
  result: z.object({ ...ofGroup, settings: z.object(groupSettings).partial() }),
  example: {
    request: { group: exampleGroup.id, settings: { announcement: true } },
    result: { group: exampleGroup, settings: { announcement: true } },
  },
});

export const groupLeave = actionRow({
  ...groupChange,
  kind: 'group_leave',
  path: 'groups/{group}/leave',
  summary: 'Leave a group',
  description: 'The group shows that the account has left. Messages that have come stay readable in this API.',
  request: z.strictObject({ group: groupAddress }),
  result: z.object({ ...ofGroup, left: z.literal(true) }),
  example: { request: { group: exampleGroup.id }, result: { group: exampleGroup, left: true } },
});
