import { z } from 'zod';
import { wellFormed } from '../../content/contentBounds.ts';
import { firstCharacters } from '../../kernel/firstCharacters.ts';
import { contactSchema, toContact } from '../../message/party.ts';
import { eventRow, toDraft } from './eventRow.ts';
import { factBounds } from './factBounds.ts';
import { address, commonFields, fitted, whatsAppId } from './factField.ts';
import { digest } from './factKey.ts';
import { factRow } from './factRow.ts';

const name = (characters: number) =>
  fitted(z.string(), (text) => firstCharacters(wellFormed(text), characters)).optional();

const schema = z.object({
  ...commonFields,
  kind: z.literal('contact_change'),
  contact: address,
  contactAlias: address.optional(),
  blocked: z.boolean().optional(),
  /** The name in the address book of the account; empty where the person is not in it any more. */
  saved: name(factBounds.nameCharacters),
  /** The name that the person has given themselves. */
  push: name(factBounds.nameCharacters),
  username: name(factBounds.usernameCharacters),
  /** WhatsApp's number of the picture. */
  pictureId: whatsAppId.optional(),
  /** Present where the picture was taken away. */
  hasNoPicture: z.literal(true).optional(),
});

/** Something of a person has changed: for the account, on its phone or another device, or as they show themselves. */
export type ContactChangeFact = z.infer<typeof schema>;

const contactUpdated = eventRow({
  type: 'contact.updated',
  data: z
    .object({
      contact: contactSchema,
      blocked: z.boolean().optional().meta({
        description: 'Present where that has changed: whether the account has blocked the person.',
      }),
      names: z
        .object({
          push: z.string().optional().meta({ description: 'As the person calls themselves now.' }),
          saved: z.string().nullable().optional().meta({
            description: 'As the account has them in its address book now; null where they are not in it any more.',
          }),
        })
        .optional()
        .meta({ description: 'Present where a name has changed, with the names that have.' }),
      username: z.string().optional().meta({ description: 'Present where the handle has changed.' }),
      pictureId: z.string().nullable().optional().meta({
        description:
          "Present where the picture has changed: WhatsApp's number of the new one, null where there is none.",
      }),
    })
    .meta({ id: 'ContactUpdatedData' }),
  description:
    'Something of a person has changed: that the account has blocked them, a name, or their picture. Only what has changed is present.',
  example: {
    contact: { id: '236471520047@lid', phoneNumber: '+4915123456789', lid: '236471520047@lid' },
    names: { push: 'Ada L.' },
  },
});

export const contactChangeFact = factRow({
  schema,
  writtenBy: 'strangers',
  people: [['contact', 'contactAlias']],
  decide: ({ contact, contactAlias, atMs, ...changed }, { origin }) => ({
    plan: 'stored',
    draft: toDraft(contactUpdated, origin, atMs, {
      contact: toContact(contact, contactAlias),
      ...shownChanges(changed),
    }),
  }),
  events: [contactUpdated],
});

type Changed = Pick<ContactChangeFact, 'blocked' | 'saved' | 'push' | 'username' | 'pictureId' | 'hasNoPicture'>;

function shownChanges({ blocked, saved, push, username, pictureId, hasNoPicture }: Changed) {
  const names = {
    ...(push === undefined ? {} : { push }),
    ...(saved === undefined ? {} : { saved: saved === '' ? null : saved }),
  };
  return {
    ...(blocked === undefined ? {} : { blocked }),
    ...(Object.keys(names).length === 0 ? {} : { names }),
    ...(username === undefined ? {} : { username }),
    ...(hasNoPicture === true ? { pictureId: null } : pictureId === undefined ? {} : { pictureId }),
  };
}

/** The key of a change of the list of blocked people. */
export function blockNoticeKey(noticeId: string, contact: string): string {
  return `block:${digest(noticeId, contact)}`;
}

/** The key of a notice that a person has another picture, or none. */
export function pictureNoticeKey(noticeId: string, contact: string): string {
  return `picture:${digest(noticeId, contact)}`;
}

/** The key of new names of a person, as ingest finds them. @param version of the row that still has the old ones */
export function namesKey(contact: string, version: number, names: readonly (string | undefined)[]): string {
  return `names:${digest(contact, String(version), JSON.stringify(names))}`;
}
