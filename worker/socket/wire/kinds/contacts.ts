import type { proto } from '@whiskeysockets/baileys';
import type { AskedOf } from '../../../../shared/content/content.ts';
import { writeVCard } from '../../../../shared/wire/vcard.ts';
import type { Photos } from '../../port/connectionSocket.ts';
import type { Spoken } from '../spokenKind.ts';

type Contacts = AskedOf<'contacts'>;

const toCard = (contact: Contacts[number], photos?: Photos): proto.Message.IContactMessage => ({
  displayName: contact.name.formatted_name,
  vcard: writeVCard(contact, photos?.get(contact.photo?.id ?? '')),
});

/** One contact is a message of another kind than several. */
function toMessage(contacts: Contacts, contextInfo?: proto.IContextInfo, photos?: Photos): proto.IMessage {
  const context = contextInfo === undefined ? {} : { contextInfo };
  const [first, ...others] = contacts;
  if (first !== undefined && others.length === 0) return { contactMessage: { ...toCard(first, photos), ...context } };
  const displayName = `${contacts.length} contacts`;
  return {
    contactsArrayMessage: { displayName, contacts: contacts.map((contact) => toCard(contact, photos)), ...context },
  };
}

export const contacts = {
  toWire: (asked, { contextInfo, photos }) => ({ message: toMessage(asked, contextInfo, photos) }),
  toQuoted: (body) => toMessage(body),
} as const satisfies Spoken<Contacts>;
