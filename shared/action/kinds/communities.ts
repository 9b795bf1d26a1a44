import { z } from 'zod';
import { actionRow } from '../actionRow.ts';
import {
  description,
  exampleInShort,
  exampleView,
  groupAddress,
  groupChange,
  groupInShort,
  groupRead,
  groupSchema,
  subject,
} from '../groupFields.ts';
import { chatSchema } from '../../message/party.ts';

/** Communities: groups that belong together. A community has the address of a group, and is looked up as one. */
const community = groupAddress.meta({ description: 'The address of a community, which is that of a group.' });
const exampleCommunity = { id: '120363042537849999@g.us' } as const;

export const communityCreate = actionRow({
  ...groupChange,
  kind: 'community_create',
  path: 'communities',
  summary: 'Make a community',
  description:
    'WhatsApp makes the group for announcements with it, which all of the community are in. `POST …/groups` with `community` makes a group in it.',
  request: z.strictObject({ subject, description: description.optional() }),
  result: z.object({ community: groupSchema }),
  example: {
    request: { subject: 'Neighbours' },
    result: { community: { ...exampleView, ...exampleCommunity, subject: 'Neighbours', is_community: true } },
  },
  budget: { burst: 2, perSecond: 0.02 },
});

export const communityGroupsList = actionRow({
  ...groupRead,
  kind: 'community_groups_list',
  path: 'communities/{community}/groups',
  summary: 'List the groups of a community',
  description: 'WhatsApp is asked. At most 200 are shown; it lets none have more than 100.',
  request: z.strictObject({ community }),
  result: z.object({ community: chatSchema, groups: z.array(groupInShort), complete: z.boolean() }),
  example: {
    request: { community: exampleCommunity.id },
    result: {
      community: exampleCommunity,
      groups: [{ ...exampleInShort, community: exampleCommunity.id }],
      complete: true,
    },
  },
});

const both = z.strictObject({ community, group: groupAddress });
const asked = { community: exampleCommunity.id, group: exampleInShort.id };
const shown = { community: exampleCommunity, group: { id: exampleInShort.id } };

export const communityGroupLink = actionRow({
  ...groupChange,
  kind: 'community_group_link',
  path: 'communities/{community}/groups/{group}/link',
  summary: 'Take a group into a community',
  description: 'The account has to administer both. Its members are members of the community from then on.',
  request: both,
  result: z.object({ community: chatSchema, group: chatSchema, linked: z.literal(true) }),
  example: { request: asked, result: { ...shown, linked: true } },
});

export const communityGroupUnlink = actionRow({
  ...groupChange,
  kind: 'community_group_unlink',
  path: 'communities/{community}/groups/{group}/unlink',
  summary: 'Take a group out of a community',
  description: 'The group goes on by itself. The group for announcements cannot be taken out.',
  request: both,
  result: z.object({ community: chatSchema, group: chatSchema, linked: z.literal(false) }),
  example: { request: asked, result: { ...shown, linked: false } },
});
