import { z } from 'zod';
import { contactSchema, toContact } from '../../message/party.ts';
import { eventRow, toDraft } from './eventRow.ts';
import { address, commonFields } from './factField.ts';
import { digest } from './factKey.ts';
import { factRow } from './factRow.ts';

const schema = z.object({
  ...commonFields,
  kind: z.literal('contact_merged'),
  contact: address,
  contactAlias: address.optional(),
  /** The id under which the person was known until now. */
  was: address,
});

/** WhatsApp has told that two addresses are one person, of whom one was known alone until now. */
export type ContactMergedFact = z.infer<typeof schema>;

const contactMerged = eventRow({
  type: 'contact.merged',
  data: z
    .object({
      contact: contactSchema,
      was: contactSchema.meta({
        description:
          'The person as they were known until now. What names them so means `contact`, and still leads there.',
      }),
    })
    .meta({ id: 'ContactMergedData' }),
  description:
    'WhatsApp has told that a person who was known by phone number alone is the one of a LID. Where you keep `was.id`, keep `contact.id` from now on.',
  example: {
    contact: { id: '236471520047@lid', phoneNumber: '+4915123456789', lid: '236471520047@lid' },
    was: { id: '4915123456789@s.whatsapp.net', phoneNumber: '+4915123456789' },
  },
});

export const contactMergedFact = factRow({
  schema,
  writtenBy: 'us',
  people: [['contact', 'contactAlias']],
  decide: ({ contact, contactAlias, was, atMs }, { origin }) => ({
    plan: 'stored',
    draft: toDraft(contactMerged, origin, atMs, { contact: toContact(contact, contactAlias), was: toContact(was) }),
  }),
  events: [contactMerged],
});

/** The key of a merge. @param firstSeenAtMs when the person was first seen under the id that ends */
export function mergedKey(was: string, contact: string, firstSeenAtMs: number): string {
  return `merged:${digest(was, contact, String(firstSeenAtMs))}`;
}
