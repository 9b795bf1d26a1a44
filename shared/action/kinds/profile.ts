import { z } from 'zod';
import { contactSchema } from '../../message/party.ts';
import { actionRow } from '../actionRow.ts';
import { exampleMember, upTo } from '../groupFields.ts';

/** What the account shows of itself, and to whom. Its picture is set by an action of its own. */
const ABOUT_CHARACTERS = 139;
const about = upTo(ABOUT_CHARACTERS).meta({
  description: 'What the account writes about itself; an empty text removes it.',
  example: 'At work',
});
const disappearing_seconds = z
  .union([z.literal(0), z.literal(86_400), z.literal(604_800), z.literal(7_776_000)])
  .meta({ description: 'After how long messages of new chats disappear: a day, 7 or 90 days; 0 where they stay.' });

const read = {
  method: 'GET',
  effect: 'repeatable',
  deadlineMs: 16_000,
  access: 'tenant',
  request: z.strictObject({}),
  budget: { burst: 3, perSecond: 0.1 },
} as const;
/** A change says how something is to be: written twice it comes to the same. */
const change = {
  method: 'POST',
  effect: 'repeatable',
  deadlineMs: 16_000,
  access: 'tenant',
  budget: { burst: 2, perSecond: 0.1 },
} as const;

export const profileFind = actionRow({
  ...read,
  kind: 'profile_find',
  path: 'profile',
  summary: 'Look up what the account shows of itself, and which devices it has',
  description:
    'WhatsApp is asked. The picture is looked up with `POST …/chats/{chat}/picture`, a business profile with `GET …/contacts/{contact}/business-profile`, both with the number of the account.',
  result: z.object({
    contact: contactSchema,
    name: z.string().optional().meta({ description: 'As the account calls itself.' }),
    about: z.string().optional(),
    disappearing_seconds: z.number().int().optional(),
    devices: z
      .array(z.object({ number: z.number().int(), is_phone: z.boolean(), is_this: z.boolean() }))
      .meta({ description: 'The phone and the devices that are linked to it. `is_this` is this connection.' }),
  }),
  example: {
    request: {},
    result: {
      contact: exampleMember,
      name: 'Shop',
      about: 'At work',
      disappearing_seconds: 0,
      devices: [
        { number: 0, is_phone: true, is_this: false },
        { number: 12, is_phone: false, is_this: true },
      ],
    },
  },
});

export const profileAboutSet = actionRow({
  ...change,
  kind: 'profile_about_set',
  path: 'profile/about',
  summary: 'Change what the account writes about itself',
  description: `At most ${ABOUT_CHARACTERS} characters. Who may see it is decided by the privacy setting \`about\`.`,
  request: z.strictObject({ about }),
  result: z.object({ about: z.string() }),
  example: { request: { about: 'At work' }, result: { about: 'At work' } },
});

export const profileDisappearingSet = actionRow({
  ...change,
  kind: 'profile_disappearing_set',
  path: 'profile/disappearing',
  summary: 'Change after how long messages of new chats disappear',
  description: 'Chats that are there already stay as they are.',
  request: z.strictObject({ disappearing_seconds }),
  result: z.object({ disappearing_seconds }),
  example: { request: { disappearing_seconds: 604_800 }, result: { disappearing_seconds: 604_800 } },
});

/** The privacy settings that can be changed, each with its values; a list of people that are left out is kept on the phone alone. */
const visibility = ['everybody', 'contacts', 'nobody'] as const;
export const privacyValues = {
  last_seen: visibility,
  online: ['everybody', 'as_last_seen'],
  picture: visibility,
  about: visibility,
  read_receipts: ['everybody', 'nobody'],
  group_add: ['everybody', 'contacts'],
  call_add: ['everybody', 'known'],
} as const;
export type PrivacyName = keyof typeof privacyValues;
export const privacyNames = Object.keys(privacyValues) as readonly PrivacyName[];

const privacy = {
  last_seen: z.enum(privacyValues.last_seen).meta({ description: 'Who sees when the account was last there.' }),
  online: z.enum(privacyValues.online).meta({ description: 'Who sees that it is there.' }),
  picture: z.enum(privacyValues.picture),
  about: z.enum(privacyValues.about),
  read_receipts: z.enum(privacyValues.read_receipts).meta({
    description:
      'Whether senders learn that their messages are read. Without, the account does not learn it of others either.',
  }),
  group_add: z.enum(privacyValues.group_add).meta({ description: 'Who may add the account to groups.' }),
  call_add: z.enum(privacyValues.call_add).meta({ description: 'Whose calls ring.' }),
} as const;
const shownPrivacy = z
  .object({
    last_seen: z.string(),
    online: z.string(),
    picture: z.string(),
    about: z.string(),
    read_receipts: z.string(),
    group_add: z.string(),
    call_add: z.string(),
  })
  .partial()
  .meta({
    id: 'PrivacySettings',
    description: 'Each as it stands: `contacts_except` is set on the phone, with the people who are left out.',
  });
export type ShownPrivacy = z.infer<typeof shownPrivacy>;

export const privacyFind = actionRow({
  ...read,
  kind: 'privacy_find',
  path: 'profile/privacy',
  summary: 'Look up the privacy settings of the account',
  description:
    'WhatsApp is asked. A setting that it does not name is left out, and a value that is new is shown as it is.',
  result: z.object({ privacy: shownPrivacy }),
  example: { request: {}, result: { privacy: { last_seen: 'contacts', read_receipts: 'everybody' } } },
});

const onePrivacy = z
  .strictObject({
    last_seen: privacy.last_seen.optional(),
    online: privacy.online.optional(),
    picture: privacy.picture.optional(),
    about: privacy.about.optional(),
    read_receipts: privacy.read_receipts.optional(),
    group_add: privacy.group_add.optional(),
    call_add: privacy.call_add.optional(),
  })
  .refine((asked) => privacyNames.filter((name) => asked[name] !== undefined).length === 1, {
    error: 'must name exactly one setting: each is a change of its own',
  })
  .meta({ description: 'The setting, and what it is to be: exactly one.', example: { last_seen: 'contacts' } });

export const privacySet = actionRow({
  ...change,
  kind: 'privacy_set',
  path: 'profile/privacy',
  summary: 'Change a privacy setting of the account',
  description: 'One at a time, so that the outcome is that of this one. Its phone and other devices follow.',
  request: z.strictObject({ privacy: onePrivacy }),
  result: z.object({ privacy: shownPrivacy }),
  example: { request: { privacy: { last_seen: 'contacts' } }, result: { privacy: { last_seen: 'contacts' } } },
});
