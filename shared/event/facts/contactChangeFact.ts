import { z } from 'zod';
import { contactSchema, toContact } from '../../message/party.ts';
import { eventRow, toDraft } from './eventRow.ts';
import { address, commonFields } from './factField.ts';
import { digest } from './factKey.ts';
import { factRow } from './factRow.ts';

const schema = z.object({
  ...commonFields,
  kind: z.literal('contact_change'),
  contact: address,
  contactAlias: address.optional(),
  blocked: z.boolean(),
});

/** The account has blocked somebody, or does so no longer: on its phone, or another device. */
export type ContactChangeFact = z.infer<typeof schema>;

const contactUpdated = eventRow({
  type: 'contact.updated',
  data: z
    .object({
      contact: contactSchema,
      blocked: z.boolean().optional().meta({
        description: 'Present where that has changed: whether the account has blocked the person.',
      }),
    })
    .meta({ id: 'ContactUpdatedData' }),
  description:
    'Something of a person has changed for the account, such as that it has blocked them. Only what has changed is present.',
  example: {
    contact: { id: '236471520047@lid', phoneNumber: '+4915123456789', lid: '236471520047@lid' },
    blocked: true,
  },
});

export const contactChangeFact = factRow({
  schema,
  writtenBy: 'strangers',
  people: [['contact', 'contactAlias']],
  decide: ({ contact, contactAlias, blocked, atMs }, { origin }) => ({
    plan: 'stored',
    draft: toDraft(contactUpdated, origin, atMs, { contact: toContact(contact, contactAlias), blocked }),
  }),
  events: [contactUpdated],
});

/** The key of a change of the list of blocked people. */
export function blockNoticeKey(noticeId: string, contact: string): string {
  return `block:${digest(noticeId, contact)}`;
}
