import { z } from 'zod';
import { firstCharacters } from '../kernel/firstCharacters.ts';
import { isPerson, toRecipient } from '../kernel/jid.ts';
import { chatSchema, contactSchema } from '../message/party.ts';
import { isGroup } from '../message/recipient.ts';

/** The parts of which actions about groups are made. What Cloud API names a group's are named as there. */

/** The address of a group in a request. */
export const groupAddress = z
  .string()
  .min(1)
  .max(64)
  .refine((text) => isGroup(toRecipient(text) ?? ''), 'Write the address of a group that this API showed you.')
  .meta({ description: 'The address of a group.' });

/** The greatest number of people in one request: WhatsApp answers about each, and a caller can read the answer. */
export const MOST_PEOPLE = 50;

/** A person in a request: as a phone number, or as the address that this API showed. */
export const personAddress = z
  .string()
  .min(1)
  .max(64)
  .refine(
    (text) => isPerson(toRecipient(text) ?? ''),
    'Write it like +49 151 23456789, or as the address of a person that this API showed you.',
  );

/** The people in a request. */
export const peopleAddresses = z
  .array(personAddress)
  .min(1)
  .max(MOST_PEOPLE)
  .meta({ description: `Phone numbers in international form, or addresses of people: ${MOST_PEOPLE} at most.` });

/** The greatest number of characters of a subject and of a description, as the Cloud API has them. WhatsApp may take fewer. */
export const SUBJECT_CHARACTERS = 128;
export const DESCRIPTION_CHARACTERS = 2_048;

/** A text of so many characters at most, counted as code points. */
export const upTo = (characters: number) =>
  z
    .string()
    .max(2 * characters, `must have ${characters} characters or fewer`)
    .refine((text) => firstCharacters(text, characters) === text, `must have ${characters} characters or fewer`);

export const subject = upTo(SUBJECT_CHARACTERS)
  .min(1)
  .meta({ description: 'The name of the group.', example: 'Shop staff' });
export const description = upTo(DESCRIPTION_CHARACTERS).meta({ description: 'What the group is for.' });

/** The settings of a group, each as it is asked for and shown. */
export const groupSettings = {
  announcement: z.boolean().meta({ description: 'Whether administrators alone may write.' }),
  locked: z
    .boolean()
    .meta({ description: 'Whether administrators alone may change subject, description and picture.' }),
  member_add_mode: z.enum(['admins', 'everybody']).meta({ description: 'Who may add others.' }),
  join_approval_mode: z
    .enum(['auto_approve', 'approval_required'])
    .meta({ description: 'Whether an administrator has to let in who comes by the link.' }),
  disappearing_seconds: z
    .union([z.literal(0), z.literal(86_400), z.literal(604_800), z.literal(7_776_000)])
    .meta({ description: 'After how long messages disappear: a day, 7 or 90 days; 0 where they stay.' }),
} as const;
export const groupSettingNames = Object.keys(groupSettings) as readonly (keyof typeof groupSettings)[];

/** The settings of a group as WhatsApp has them: a time that phones do not offer is shown, too. */
export const shownSettings = z
  .object({ ...groupSettings, disappearing_seconds: z.number().int().min(0) })
  .meta({ id: 'GroupSettings' });
export type ShownSettings = z.infer<typeof shownSettings>;

export const memberRoles = ['member', 'admin', 'superadmin'] as const;
export type MemberRole = (typeof memberRoles)[number];

export const memberSchema = contactSchema
  .extend({ role: z.enum(memberRoles).meta({ description: '`superadmin` is who made the group, as a rule.' }) })
  .meta({ id: 'GroupMember', description: 'A person in a group.' });
export type GroupMember = z.infer<typeof memberSchema>;

/** A group in few words. */
const inShort = {
  id: z.string().meta({ description: 'The address of the group.', example: '120363042537841234@g.us' }),
  subject: z.string(),
  total_participant_count: z
    .number()
    .int()
    .optional()
    .meta({ description: 'How many are in it, where WhatsApp says so.' }),
  is_community: z
    .boolean()
    .meta({ description: 'Whether it is the outer part of a community, in which nobody writes.' }),
  is_announcements: z.boolean().meta({ description: 'Whether it is the group of a community that all of it are in.' }),
  community: z.string().optional().meta({ description: 'The address of the community that it belongs to.' }),
} as const;
export const groupInShort = z.object(inShort).meta({ id: 'GroupInShort' });
export type GroupInShort = z.infer<typeof groupInShort>;

export const groupSchema = z
  .object({
    ...inShort,
    description: z.string().optional(),
    created_at: z.iso.datetime().optional(),
    created_by: contactSchema.optional(),
    settings: shownSettings,
    participants: z
      .array(memberSchema)
      .optional()
      .meta({ description: 'Who is in it, administrators first. Of a group that the account is not in, few or none.' }),
    participants_complete: z.boolean().optional().meta({
      description: 'False where not all of them fit into an answer: 112 KB are shown, which are 1,024 people.',
    }),
  })
  .meta({ id: 'Group' });
export type GroupView = z.infer<typeof groupSchema>;

/** What has become of one person of a request. */
export const personOutcome = z
  .object({
    input: z.string().meta({ description: 'As the person was asked for.' }),
    contact: contactSchema.optional(),
    outcome: z.enum(['done', 'invitation_needed', 'refused', 'no_account', 'unknown']).meta({
      description:
        '`invitation_needed`: the person is added by nobody, and may be sent a message `group_invite` with the code beside it. `refused`: `whatsappCode` says why. ' +
        '`no_account`: there is nobody at this number. `unknown`: WhatsApp said nothing of this person.',
    }),
    whatsappCode: z.number().int().optional(),
    invite: z.object({ code: z.string(), expires_at: z.iso.datetime().optional() }).optional(),
  })
  .meta({ id: 'GroupPersonOutcome' });
export type PersonOutcome = z.infer<typeof personOutcome>;

/** What the actions about groups have in common. Of WhatsApp's limits nothing is known: the budgets are those of a busy person. */
export const groupRead = {
  method: 'GET',
  effect: 'repeatable',
  deadlineMs: 16_000,
  access: 'tenant',
  budget: { burst: 5, perSecond: 0.5 },
} as const;
/** A change is shown in the group to all who are in it, so that it is made once. */
export const groupChange = {
  method: 'POST',
  effect: 'once',
  deadlineMs: 20_000,
  access: 'tenant',
  budget: { burst: 3, perSecond: 0.2 },
} as const;

export const exampleGroup = { id: '120363042537841234@g.us' } as const;
export const exampleMember = {
  id: '236471520047@lid',
  phoneNumber: '+4915123456789',
  lid: '236471520047@lid',
} as const;
const exampleSettings: ShownSettings = {
  announcement: false,
  locked: false,
  member_add_mode: 'admins',
  join_approval_mode: 'auto_approve',
  disappearing_seconds: 0,
};
export const exampleInShort: GroupInShort = {
  ...exampleGroup,
  subject: 'Shop staff',
  total_participant_count: 2,
  is_community: false,
  is_announcements: false,
};
export const exampleView: GroupView = {
  ...exampleInShort,
  description: 'Shifts and keys',
  created_at: '2026-08-01T12:00:05.000Z',
  created_by: exampleMember,
  settings: exampleSettings,
  participants: [{ ...exampleMember, role: 'superadmin' }],
  participants_complete: true,
};

/** The field that names the group in results, as with pictures. */
export const ofGroup = { group: chatSchema } as const;
