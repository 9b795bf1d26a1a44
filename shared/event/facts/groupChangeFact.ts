import { z } from 'zod';
import { groupSettings } from '../../action/groupFields.ts';
import { boundCount, boundOther, boundText, boundWord } from '../../content/contentBounds.ts';
import { chatSchema, contactSchema, toChat, toContact } from '../../message/party.ts';
import { eventRow, toDraft } from './eventRow.ts';
import { address, commonFields, fitted } from './factField.ts';
import { digest } from './factKey.ts';
import { factRow } from './factRow.ts';

/** How a group is linked that a change names: it is in the community, or the community itself. */
const linkKinds = ['in_community', 'community', 'beside'] as const;
const linkedGroup = z.object({ group: chatSchema, as: z.enum(linkKinds).optional(), subject: z.string().optional() });

/** What may change of a group. Each part is present where it has changed, with what it is now. */
const changes = z
  .object({
    joined: z.literal(true).meta({ description: 'The account is in the group from now on.' }),
    subject: z.string(),
    description: z.string().meta({ description: 'Empty where it was removed.' }),
    ...groupSettings,
    disappearing_seconds: z.number().int().min(0),
    picture: z.enum(['set', 'removed']),
    pictureId: z.string(),
    invite_link: z.string().meta({ description: 'The new link, which ends the old one.' }),
    linked: z.array(linkedGroup).meta({ description: 'Groups that were linked to it.' }),
    unlinked: z.array(linkedGroup),
    suspended: z.boolean().meta({ description: 'Whether WhatsApp has suspended the group.' }),
    deleted: z.literal(true).meta({ description: 'The group is no more.' }),
  })
  .partial();
export type GroupChanges = z.infer<typeof changes>;
type LinkedGroup = z.infer<typeof linkedGroup>;

/** The most groups of one change that are told. */
const MOST_LINKED = 64;

const fitLinked = (linked: readonly LinkedGroup[] | undefined): readonly LinkedGroup[] | undefined =>
  linked?.slice(0, MOST_LINKED).map((one) => boundOther(one));

function fitChanges(told: GroupChanges): GroupChanges {
  const { subject, description, disappearing_seconds: seconds, linked, unlinked, pictureId, invite_link: link } = told;
  return {
    ...told,
    ...(subject === undefined ? {} : { subject: boundText(subject) }),
    ...(description === undefined ? {} : { description: boundText(description) }),
    ...(seconds === undefined ? {} : { disappearing_seconds: boundCount(seconds) }),
    ...(pictureId === undefined ? {} : { pictureId: boundWord(pictureId) }),
    ...(link === undefined ? {} : { invite_link: boundOther(link) }),
    ...(linked === undefined ? {} : { linked: [...(fitLinked(linked) ?? [])] }),
    ...(unlinked === undefined ? {} : { unlinked: [...(fitLinked(unlinked) ?? [])] }),
  };
}

const schema = z.object({
  ...commonFields,
  kind: z.literal('group_change'),
  group: address,
  by: address.optional(),
  byAlias: address.optional(),
  changes: fitted(changes, (told) => fitChanges(told)),
});

/** Something of a group has changed, beside who is in it. */
export type GroupChangeFact = z.infer<typeof schema>;

const groupUpdated = eventRow({
  type: 'group.updated',
  data: z
    .object({
      group: chatSchema,
      by: contactSchema.optional().meta({ description: 'Who did it, where WhatsApp says so.' }),
      changes: changes.meta({ description: 'What has changed, as it is now; the rest is left out.' }),
    })
    .meta({ id: 'GroupUpdatedData' }),
  description:
    'Something of a group has changed: its subject, description, picture, settings or link, or that the account is in it.',
  example: {
    group: { id: '120363042537841234@g.us' },
    by: { id: '236471520047@lid', phoneNumber: '+4915123456789', lid: '236471520047@lid' },
    changes: { subject: 'Shop staff' },
  },
});

export const groupChangeFact = factRow({
  schema,
  writtenBy: 'strangers',
  people: [['by', 'byAlias']],
  decide: ({ group, by, byAlias, changes: told, atMs }, { origin }) => ({
    plan: 'stored',
    draft: toDraft(groupUpdated, origin, atMs, {
      group: toChat(group),
      ...(by === undefined ? {} : { by: toContact(by, byAlias) }),
      changes: told,
    }),
  }),
  events: [groupUpdated],
});

/** The key of a notice about a group. @param part the place of the fact among those that one notice becomes */
export function groupNoticeKey(group: string, noticeId: string, part: string): string {
  return `group:${digest(group, noticeId, part)}`;
}
