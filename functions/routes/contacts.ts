import { z } from 'zod';
import type { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import { CONTACT_EXAMPLE, contactViewSchema, toContactView, type Contact } from '../../shared/contact/contact.ts';
import type { ContactPage, ContactStore } from '../../shared/contact/contactStore.ts';
import { isNamed, toSearch, type ContactSearch } from '../../shared/contact/searchContacts.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import type { ConnectionId } from '../../shared/kernel/id.ts';
import { isPerson, toRecipient, withoutDevice } from '../../shared/kernel/jid.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { route, type Route } from '../http/route.ts';
import { findConnection } from './connections.ts';
import { limitSchema, pageOf, toPage } from './views.ts';

export interface ContactRouteDependencies extends Pick<Surroundings, 'clock'> {
  readonly connections: ConnectionStore;
  readonly contacts: ContactStore;
}

const querySchema = z.strictObject({
  search: z.string().trim().min(1).max(64).optional().meta({
    description:
      'The beginning of a phone number, with + or without, or of any word of a name or of the handle. A page of a search by name can be empty and have more behind it.',
    example: 'ada',
  }),
  after: z.string().max(160).optional(),
  limit: limitSchema,
});

/** The routes of the people whom a connection knows. */
export function contactRoutes(dependencies: ContactRouteDependencies): readonly Route[] {
  const { connections, contacts, clock } = dependencies;
  return [
    route('GET', '/v1/connections/{connectionId}/contacts', {
      summary: 'List or search the people whom a connection knows',
      description:
        'Who wrote to the account or to a group that it is in, called it, was written to, was blocked or saved, since it was linked. Each person stands in it once, under whichever address they were seen.',
      query: querySchema,
      answers: {
        status: 200,
        schema: pageOf(contactViewSchema),
        example: { data: [CONTACT_EXAMPLE], hasMore: false },
      },
      handle: async ({ tenantId, parameters, query: { search, after, limit } }) => {
        const { connectionId } = await findConnection(connections, tenantId, parameters['connectionId']);
        const page = { after, limit, nowMs: clock.nowMs() };
        const found = await readPage(contacts, connectionId, search === undefined ? undefined : toSearch(search), page);
        return { status: 200, json: toPage(found.contacts.map(toContactView), found.next) };
      },
    }),
    route('GET', '/v1/connections/{connectionId}/contacts/{contact}', {
      summary: 'Read what a connection knows of a person',
      description:
        'By phone number, phone-number address or LID, whichever of them the connection has met. Nothing is asked of WhatsApp: to look up a number that never wrote, use `contacts/check`.',
      problems: ['contact_not_found'],
      answers: { status: 200, schema: contactViewSchema, example: CONTACT_EXAMPLE },
      handle: async ({ tenantId, parameters }) => {
        const { connectionId } = await findConnection(connections, tenantId, parameters['connectionId']);
        return {
          status: 200,
          json: toContactView(await findContact(dependencies, connectionId, parameters['contact'])),
        };
      },
    }),
  ];
}

/** Finds a person whom a connection knows. Throws `contact_not_found`, also for what is no person's address. */
async function findContact(
  { contacts, clock }: ContactRouteDependencies,
  connectionId: ConnectionId,
  written: string | undefined,
): Promise<Contact> {
  const address = addressIn(written ?? '');
  const contact = address === undefined ? undefined : await contacts.find(connectionId, address, clock.nowMs());
  if (contact === undefined) throw new AppError('contact_not_found');
  return contact;
}

/** The address of a person as it was written; undefined for what is none. Some write to whom nobody can write, such as WhatsApp itself. */
function addressIn(written: string): string | undefined {
  const address = toRecipient(written) ?? written;
  return isPerson(address) && withoutDevice(address) === address ? address : undefined;
}

/** The address of a person, as somebody writes it. */
export const personAddress = z
  .string()
  .max(64)
  .transform((text, context) => {
    const address = addressIn(text);
    if (address !== undefined) return address;
    context.addIssue('Write it like +49 151 23456789, or as the address of a person that this API showed you.');
    return z.NEVER;
  })
  .meta({ example: '+4915123456789' });

type Place = Parameters<ContactStore['list']>[1];

/** The page of a list or of a search. Throws `invalid_cursor` for one of another search. */
async function readPage(
  contacts: ContactStore,
  connectionId: ConnectionId,
  search: ContactSearch | undefined,
  page: Place,
): Promise<ContactPage> {
  if (search?.by === 'number') {
    if (page.after !== undefined && !page.after.startsWith(search.digits)) throw new AppError('invalid_cursor');
    return contacts.listByNumber(connectionId, search.digits, page);
  }
  if (page.after !== undefined && !isPerson(page.after)) throw new AppError('invalid_cursor');
  // No name would be found by punctuation, however many are read.
  if (search?.words.length === 0) return { contacts: [], next: undefined };
  const isFound = search === undefined ? undefined : (contact: Contact) => isNamed(contact, search.words);
  return contacts.list(connectionId, page, isFound);
}
