import { z } from 'zod';
import { parseJid, toPhoneJid } from '../kernel/jid.ts';
import { contactSchema, toContact, type Contact as ShownContact } from '../message/party.ts';
import { countryOf } from './country.ts';

/**
 * A person as a connection knows them: the row of one person, whatever address a stanza used. Its id is the LID where that is
 * known, else the phone-number address: what every event and every answer compares people by (`party.ts`).
 */
export interface Contact {
  readonly id: string;
  /** The digits of the phone number, where it is known. */
  readonly number?: string | undefined;
  /** The name that the person has given themselves. */
  readonly push?: string | undefined;
  /** The name in the address book of the account; empty where the person was taken out of it. */
  readonly saved?: string | undefined;
  /** The handle, without @, as WhatsApp's server told it last. */
  readonly username?: string | undefined;
  readonly blocked?: boolean | undefined;
  /** WhatsApp's number of the picture; empty where it was taken away. */
  readonly pictureId?: string | undefined;
  /** The time at which a name or the handle was last another one than before. */
  readonly renamedAtMs?: number | undefined;
  readonly firstSeenAtMs: number;
  /** The time at which the row was last written anew because the person is still there. */
  readonly seenAtMs: number;
  /** Grows by one with each write. */
  readonly version: number;
}

const namesSchema = z
  .object({
    push: z.string().optional().meta({ description: 'As the person calls themselves.', example: 'Ada' }),
    saved: z.string().optional().meta({ description: 'As the account has them in its address book.' }),
  })
  .meta({ id: 'ContactNames', description: 'The names of a person that are known.' });

export const contactViewSchema = contactSchema
  .extend({
    username: z.string().optional().meta({
      description: 'The handle of the person, without @, where WhatsApp told it. It can change hands: compare by `id`.',
    }),
    names: namesSchema,
    country: z.string().optional().meta({
      description: 'The country of the phone number (ISO 3166), where its calling code has one alone.',
      example: 'DE',
    }),
    blocked: z.boolean().optional().meta({
      description: 'Present where WhatsApp has told: whether the account has blocked the person.',
    }),
    pictureId: z.string().optional().meta({
      description:
        "WhatsApp's number of the picture, where a change of it was seen; another number is another picture.",
    }),
    firstSeenAt: z.iso.datetime(),
  })
  .meta({ id: 'ContactDetails', description: 'What a connection knows of a person.' });

export const CONTACT_EXAMPLE = {
  id: '236471520047@lid',
  phoneNumber: '+4915123456789',
  lid: '236471520047@lid',
  username: 'ada.lovelace',
  names: { push: 'Ada', saved: 'Ada Lovelace' },
  country: 'DE',
  blocked: false,
  firstSeenAt: '2026-08-01T12:00:05.000Z',
} as const;

/** The person as every other place shows them. */
export function toShown({ id, number }: Pick<Contact, 'id' | 'number'>): ShownContact {
  return toContact(id, number === undefined ? undefined : toPhoneJid(number));
}

/** The person as the API answers them. */
export function toContactView(contact: Contact): z.output<typeof contactViewSchema> {
  const { push, saved, username, blocked, pictureId, firstSeenAtMs } = contact;
  const shown = toShown(contact);
  const country = shown.phoneNumber === undefined ? undefined : countryOf(shown.phoneNumber);
  return {
    ...shown,
    ...(username === undefined ? {} : { username }),
    names: { ...(push === undefined ? {} : { push }), ...(saved === undefined || saved === '' ? {} : { saved }) },
    ...(country === undefined ? {} : { country }),
    ...(blocked === undefined ? {} : { blocked }),
    ...(pictureId === undefined || pictureId === '' ? {} : { pictureId }),
    firstSeenAt: new Date(firstSeenAtMs).toISOString(),
  };
}

/** The digits of a phone-number address; undefined for every other one. */
export function numberOf(address: string | undefined): string | undefined {
  const jid = address === undefined ? undefined : parseJid(address);
  return jid?.server === 's.whatsapp.net' ? jid.user : undefined;
}
