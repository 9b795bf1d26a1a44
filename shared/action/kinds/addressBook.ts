import { z } from 'zod';
import { contactSchema } from '../../message/party.ts';
import { actionRow } from '../actionRow.ts';
import { personAddress, upTo } from '../groupFields.ts';
import { exampleChat, sharedStateAction } from '../sharedState.ts';

/** The longest name, in characters: as many as are kept of the name of a contact. */
const NAME_CHARACTERS = 128;
const contact = personAddress.meta({
  description: 'Phone number in international form, or the address of a person.',
});
const name = upTo(NAME_CHARACTERS).refine((text) => text.trim() !== '', 'must have a letter or a sign');
const result = z.object({
  contact: contactSchema,
  names: z.object({
    saved: z.string().nullable().meta({ description: 'As the person stands in the address book now; null where not.' }),
  }),
});
const common = { ...sharedStateAction, path: 'contacts/{contact}', result } as const;

export const addressBookSave = actionRow({
  ...common,
  method: 'PUT',
  kind: 'address_book_save',
  summary: 'Save a person in the address book of the account',
  description:
    'In place of the name that they had in it, if any. WhatsApp is asked whether there is an account at a number that is not known. The phone and other devices show the name; the person learns nothing of it. Asked again it does no harm.',
  request: z.strictObject({
    contact,
    fullName: name.meta({ description: 'The whole name.', example: 'Ada Lovelace' }),
    firstName: name.optional().meta({ description: 'The name for short, where the phone shows one.', example: 'Ada' }),
    saveOnPhone: z.boolean().default(true).meta({
      description: 'Whether the phone also takes the person into its own address book, outside of WhatsApp.',
    }),
  }),
  example: {
    request: { contact: '+4915123456789', fullName: 'Ada Lovelace', firstName: 'Ada' },
    result: { contact: exampleChat, names: { saved: 'Ada Lovelace' } },
  },
});

export const addressBookRemove = actionRow({
  ...common,
  method: 'DELETE',
  kind: 'address_book_remove',
  summary: 'Take a person out of the address book of the account',
  description:
    'Under whichever address they stand in it, and also where they are not in it. What this connection knows of them otherwise stays, and so do their messages. Asked again it does no harm.',
  request: z.strictObject({ contact }),
  example: {
    request: { contact: '+4915123456789' },
    result: { contact: exampleChat, names: { saved: null } },
  },
});
