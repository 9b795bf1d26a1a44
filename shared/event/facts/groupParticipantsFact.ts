import { z } from 'zod';
import { boundOther, boundWord } from '../../content/contentBounds.ts';
import { chatSchema, contactSchema, toChat, toContact } from '../../message/party.ts';
import { eventRow, toDraft } from './eventRow.ts';
import { address, commonFields, fitted } from './factField.ts';
import { factRow } from './factRow.ts';

/** What becomes of people in a group, and of their requests to join it. */
export const participantChanges = [
  'added',
  'joined',
  'removed',
  'left',
  'promoted',
  'demoted',
  'number_changed',
  'requested',
  'request_ended',
] as const;
export type ParticipantChange = (typeof participantChanges)[number];

/** The most people of one fact; a notice that names more becomes several. */
export const MOST_PARTICIPANTS = 512;

const participant = z.object({ address: z.string().max(128), alias: z.string().max(128).optional() });
export type FactParticipant = z.infer<typeof participant>;

const schema = z.object({
  ...commonFields,
  kind: z.literal('group_participants'),
  group: address,
  by: address.optional(),
  byAlias: address.optional(),
  change: z.enum(participantChanges),
  /** WhatsApp's word for the way by which they came, such as `invite`. */
  via: fitted(z.string(), boundWord).optional(),
  participants: fitted(z.array(participant).max(MOST_PARTICIPANTS), (people) =>
    people.slice(0, MOST_PARTICIPANTS).map((one) => boundOther(one)),
  ),
});

/** People came into a group, went, administer it or no longer do, or ask to join it. */
export type GroupParticipantsFact = z.infer<typeof schema>;

const groupParticipants = eventRow({
  type: 'group.participants',
  data: z
    .object({
      group: chatSchema,
      by: contactSchema.optional().meta({ description: 'Who did it, where WhatsApp says so.' }),
      change: z.enum(participantChanges).meta({
        description:
          '`joined`: by a link or an invitation of their own. `requested`: they ask to join. `request_ended`: the request was taken back, refused or granted. ' +
          '`number_changed`: `by` is the old account of the one in `participants`.',
      }),
      via: z.string().optional().meta({ description: "How they came, in WhatsApp's word for it.", example: 'invite' }),
      participants: z.array(contactSchema),
    })
    .meta({ id: 'GroupParticipantsData' }),
  description: 'People came into a group, left it, administer it or no longer do, or ask to join it.',
  example: {
    group: { id: '120363042537841234@g.us' },
    by: { id: '236471520047@lid', phoneNumber: '+4915123456789', lid: '236471520047@lid' },
    change: 'added',
    participants: [{ id: '887766554433@lid', phoneNumber: '+4915187654321', lid: '887766554433@lid' }],
  },
});

export const groupParticipantsFact = factRow({
  schema,
  writtenBy: 'strangers',
  people: [['by', 'byAlias']],
  decide: ({ group, by, byAlias, change, via, participants, atMs }, { origin }) => ({
    plan: 'stored',
    draft: toDraft(groupParticipants, origin, atMs, {
      group: toChat(group),
      ...(by === undefined ? {} : { by: toContact(by, byAlias) }),
      change,
      ...(via === undefined ? {} : { via }),
      participants: participants.map((one) => toContact(one.address, one.alias)),
    }),
  }),
  events: [groupParticipants],
});
