import { z } from 'zod';
import { contactSchema } from '../../message/party.ts';
import { actionRow } from '../actionRow.ts';
import { exampleMember, personAddress } from '../groupFields.ts';

/** What people show of themselves, and whom the account has blocked. */
const contact = personAddress.meta({ description: 'Phone number in international form, or the address of a person.' });
const request = z.strictObject({ contact });
const asked = { contact: '+4915123456789' };
const look = {
  method: 'GET',
  effect: 'repeatable',
  deadlineMs: 16_000,
  access: 'tenant',
  request,
  // Opening the page of a person on a phone asks once for each of these.
  budget: { burst: 10, perSecond: 1 },
} as const;

export const contactAboutFind = actionRow({
  ...look,
  kind: 'contact_about_find',
  path: 'contacts/{contact}/about',
  summary: 'Look up what a person writes about themselves',
  description:
    'WhatsApp is asked. `none`: the person has written nothing, or does not show it to this account, which WhatsApp does not always tell apart; `hidden` where it does.',
  result: z.object({
    contact: contactSchema,
    about: z.enum(['found', 'none', 'hidden']),
    text: z.string().optional(),
    set_at: z.iso.datetime().optional(),
  }),
  example: {
    request: asked,
    result: { contact: exampleMember, about: 'found', text: 'At work', set_at: '2026-08-01T12:00:05.000Z' },
  },
});

const hours = z.object({
  day: z.string().meta({ example: 'mon' }),
  mode: z.string().meta({ description: '`specific_hours`, `open_24h` or `appointment_only`.' }),
  opens: z.string().optional().meta({ description: 'Minutes of the day, as HH:MM.', example: '09:00' }),
  closes: z.string().optional(),
});
export const businessProfile = z
  .object({
    description: z.string().optional(),
    address: z.string().optional(),
    email: z.string().optional(),
    websites: z.array(z.string()),
    categories: z.array(z.string()),
    timezone: z.string().optional(),
    hours: z.array(hours),
  })
  .meta({ id: 'BusinessProfile' });
export type BusinessProfile = z.infer<typeof businessProfile>;

export const contactBusinessFind = actionRow({
  ...look,
  kind: 'contact_business_find',
  path: 'contacts/{contact}/business-profile',
  summary: 'Look up the business profile of a person, or of the account itself',
  description:
    'WhatsApp is asked. `is_business` is false for who has none, and left out for who is known by LID alone and has none under that: profiles are found by number. The number of the account itself gives its own.',
  result: z.object({
    contact: contactSchema,
    is_business: z.boolean().optional(),
    profile: businessProfile.optional(),
  }),
  example: {
    request: asked,
    result: {
      contact: exampleMember,
      is_business: true,
      profile: { description: 'Bread', websites: ['https://example.com'], categories: ['Bakery'], hours: [] },
    },
  },
});

export const contactPresenceFind = actionRow({
  ...look,
  kind: 'contact_presence_find',
  path: 'contacts/{contact}/presence',
  summary: 'Look whether a person is there, and when they were last',
  description:
    'The account subscribes to the person, and the first word of WhatsApp within five seconds is the result. `unknown` where there is none: the person does not show it, ' +
    'or the account itself counts as `unavailable` or hides when it was there. It holds for this moment alone, and nothing of it is kept but the action.',
  result: z.object({
    contact: contactSchema,
    presence: z.enum(['available', 'unavailable', 'unknown']),
    last_seen: z.iso.datetime().optional().meta({ description: 'Where the person shows it.' }),
  }),
  example: {
    request: asked,
    result: { contact: exampleMember, presence: 'unavailable', last_seen: '2026-08-01T12:00:05.000Z' },
  },
  budget: { burst: 10, perSecond: 0.5 },
});

const change = {
  method: 'POST',
  effect: 'repeatable',
  deadlineMs: 20_000,
  access: 'tenant',
  request,
  budget: { burst: 5, perSecond: 0.2 },
} as const;

export const contactBlock = actionRow({
  ...change,
  kind: 'contact_block',
  path: 'contacts/{contact}/block',
  summary: 'Block a person: what they write comes no more',
  description: 'The person is not told. Messages in groups of both still come. Asked again it does no harm.',
  result: z.object({ contact: contactSchema, blocked: z.literal(true) }),
  example: { request: asked, result: { contact: exampleMember, blocked: true } },
});

export const contactUnblock = actionRow({
  ...change,
  kind: 'contact_unblock',
  path: 'contacts/{contact}/unblock',
  summary: 'Block a person no longer',
  description: 'What they wrote meanwhile does not come later. Also for who is not blocked.',
  result: z.object({ contact: contactSchema, blocked: z.literal(false) }),
  example: { request: asked, result: { contact: exampleMember, blocked: false } },
});

export const blockList = actionRow({
  ...look,
  kind: 'block_list',
  path: 'blocked-contacts',
  summary: 'List whom the account has blocked',
  description: 'WhatsApp is asked. `complete` is false where not all of them fit into an answer: 96 KB are shown.',
  request: z.strictObject({}),
  result: z.object({ contacts: z.array(contactSchema), complete: z.boolean() }),
  example: { request: {}, result: { contacts: [exampleMember], complete: true } },
  budget: { burst: 3, perSecond: 0.1 },
});
