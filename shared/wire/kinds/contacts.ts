import type { BodyOf } from '../../content/content.ts';
import { parts as partsOf, readField, shape, text } from '../shape.ts';
import type { Understood } from '../understoodKind.ts';
import { readVCard } from '../vcard.ts';

const CONTACT = 4;
const CONTACTS = 13;

/** The most contacts that are read out of one message. */
const MOST_CONTACTS = 257;

const contact = shape({ displayName: text(1), vcard: text(16) });
const contactsArray = shape({ contacts: partsOf(2, contact) });

export const contacts = {
  fields: [CONTACT, CONTACTS],
  context: 17,
  fromWire: (parts) => {
    const one = readField(contact, parts.get(CONTACT));
    const many = readField(contactsArray, parts.get(CONTACTS));
    if (one === 'malformed' || many === 'malformed') return 'malformed';
    const all = [one, ...(many.contacts ?? [])].filter((each) => Object.keys(each).length > 0);
    if (all.length === 0) return 'nothing';
    return all.slice(0, MOST_CONTACTS).map(({ displayName = '', vcard = '' }) => readVCard(vcard, displayName));
  },
} as const satisfies Understood<BodyOf<'contacts'>>;
