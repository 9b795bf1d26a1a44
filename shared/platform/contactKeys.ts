import type { ConnectionId } from '../kernel/id.ts';
import type { ItemKey } from './keys.ts';

/** The keys of the people whom a connection knows. They have a partition of their own, as they are listed and searched. */
export const contactPartition = (connectionId: ConnectionId): string => `CONTACTS#${connectionId}`;
export const CONTACT_PREFIX = 'CONTACT#';
/** A person, by the id under which everything compares them: the LID, else the phone-number address. */
export const contactKey = (connectionId: ConnectionId, id: string): ItemKey => ({
  pk: contactPartition(connectionId),
  sk: `${CONTACT_PREFIX}${id}`,
});
export const CONTACT_NUMBER_PREFIX = 'NUMBER#';
/** The way from a phone number to the person who has it. */
export const contactNumberKey = (connectionId: ConnectionId, number: string): ItemKey => ({
  pk: contactPartition(connectionId),
  sk: `${CONTACT_NUMBER_PREFIX}${number}`,
});
/** The number of people whom a connection came to know on a day, counted from 1970. */
export const newContactsKey = (connectionId: ConnectionId, day: number): ItemKey => ({
  pk: contactPartition(connectionId),
  sk: `DAY#${String(day).padStart(6, '0')}`,
});
/** The answer of WhatsApp about a phone number that was checked. */
export const numberLookUpKey = (connectionId: ConnectionId, number: string): ItemKey => ({
  pk: contactPartition(connectionId),
  sk: `LOOKUP#${number}`,
});
