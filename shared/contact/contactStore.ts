import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  GetCommand,
  PutCommand,
  UpdateCommand,
  type DynamoDBDocumentClient,
} from '@aws-sdk/lib-dynamodb';
import { firstCharacters } from '../kernel/firstCharacters.ts';
import type { ConnectionId } from '../kernel/id.ts';
import { isLid, toPhoneJid } from '../kernel/jid.ts';
import {
  CONTACT_NUMBER_PREFIX,
  CONTACT_PREFIX,
  contactKey,
  contactNumberKey,
  contactPartition,
  newContactsKey,
} from '../platform/contactKeys.ts';
import { expiryOf, isExpired } from '../platform/expiry.ts';
import type { ItemKey } from '../platform/keys.ts';
import { queryItems, readPage, type Item, type Page } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import { numberOf, type Contact } from './contact.ts';
import type { ContactWrite, KnownRows } from './planSighting.ts';
import type { Sighting } from './sighting.ts';

/** The most people whom a connection comes to know on one day; whoever else writes is in the events, and not among the contacts. */
export const NEW_CONTACTS_A_DAY = 5_000;
const DAY_MS = 86_400_000;
/** The most rows of one `BatchGet`. */
const BATCH = 100;
/** The number of rows that a search by name reads at a time. */
const SEARCHED_AT_ONCE = 250;
/** The most characters of a name that are kept. */
const NAME_CHARACTERS = 128;

/** A page of contacts. */
export interface ContactPage {
  readonly contacts: readonly Contact[];
  /** Where the next page begins; undefined on the last one. */
  readonly next: string | undefined;
}

/** The people whom connections know. The caller has read the connection under its tenant. */
export class ContactStore {
  readonly #table: DynamoDBDocumentClient;
  readonly #TableName: string;

  constructor({ table, stage }: { readonly table: DynamoDBDocumentClient; readonly stage: string }) {
    this.#table = table;
    this.#TableName = tableName(stage, 'core');
  }

  /** Finds a person by LID or phone-number address, whichever of them the connection has met. At most three reads. */
  async find(connectionId: ConnectionId, address: string, nowMs: number): Promise<Contact | undefined> {
    const number = isLid(address) ? undefined : numberOf(address);
    if (number === undefined) return this.#get(connectionId, address, nowMs);
    const lead = await this.#read(contactNumberKey(connectionId, number));
    const led = lead === undefined ? undefined : await this.#get(connectionId, String(lead['id']), nowMs);
    return led ?? this.#get(connectionId, address, nowMs);
  }

  /** Lists people in the order of their ids. */
  async list(
    connectionId: ConnectionId,
    page: { readonly after: string | undefined; readonly limit: number; readonly nowMs: number },
    isShown?: (contact: Contact) => boolean,
  ): Promise<ContactPage> {
    const show = (item: Item): Contact | undefined => {
      const contact = toContact(item, page.nowMs);
      return contact === undefined || isShown?.(contact) === false ? undefined : contact;
    };
    const pageSize = isShown === undefined ? page.limit + 1 : SEARCHED_AT_ONCE;
    const read = await this.#page(connectionId, CONTACT_PREFIX, { ...page, pageSize }, show);
    return {
      contacts: read.shown,
      next: read.last === undefined ? undefined : String(read.last['sk']).slice(CONTACT_PREFIX.length),
    };
  }

  /** Reads some people by their ids; those who are not known are not among them. */
  async findAll(
    connectionId: ConnectionId,
    ids: readonly string[],
    nowMs: number,
  ): Promise<ReadonlyMap<string, Contact>> {
    const items = [...(await this.#getAll(ids.map((id) => contactKey(connectionId, id)))).values()];
    const contacts = items.map((item) => toContact(item, nowMs)).filter((contact) => contact !== undefined);
    return new Map(contacts.map((contact) => [contact.id, contact]));
  }

  /** Lists people by the beginning of their phone number, those with a LID. @param digits the beginning */
  async listByNumber(
    connectionId: ConnectionId,
    digits: string,
    page: { readonly after: string | undefined; readonly limit: number; readonly nowMs: number },
  ): Promise<ContactPage> {
    const read = await this.#page(
      connectionId,
      `${CONTACT_NUMBER_PREFIX}${digits}`,
      { ...page, pageSize: page.limit + 1 },
      (item) => ({
        key: contactKey(connectionId, String(item['id'])),
        number: String(item['sk']).slice(CONTACT_NUMBER_PREFIX.length),
      }),
    );
    const found = await this.#getAll(read.shown.map(({ key }) => key));
    const contacts = read.shown.flatMap(({ key, number }) => {
      const contact = toContact(found.get(key.sk), page.nowMs);
      // An earlier number still leads to the person, who is shown by the present one where that fits, too.
      const isElsewhere = contact?.number !== number && contact?.number?.startsWith(digits) === true;
      return contact === undefined || isElsewhere ? [] : [contact];
    });
    const next = read.last === undefined ? undefined : String(read.last['sk']).slice(CONTACT_NUMBER_PREFIX.length);
    return { contacts, next };
  }

  /** Reads the rows of the people in some sightings. Eventually consistent: each write has its condition. */
  async readFor(connectionId: ConnectionId, sightings: readonly Sighting[]): Promise<KnownRows> {
    const keys = sightings.flatMap(({ lid, number }) => [
      ...(lid === undefined ? [] : [contactKey(connectionId, lid)]),
      ...(number === undefined
        ? []
        : [contactKey(connectionId, toPhoneJid(number)), contactNumberKey(connectionId, number)]),
    ]);
    const items = await this.#getAll(keys);
    const led = [...items.values()].flatMap((item) =>
      String(item['sk']).startsWith(CONTACT_NUMBER_PREFIX) ? [contactKey(connectionId, String(item['id']))] : [],
    );
    for (const [sk, item] of await this.#getAll(led.filter(({ sk }) => !items.has(sk)))) items.set(sk, item);
    return {
      // A row whose time is over and that is still there is taken up again.
      find: (id) => items.get(contactKey(connectionId, id).sk) as KnownContact | undefined,
      leadOf: (number) => items.get(contactNumberKey(connectionId, number).sk)?.['id'] as string | undefined,
    };
  }

  /** Counts new people of a day. Condition: they are no more than {@link NEW_CONTACTS_A_DAY} with those before. */
  async admit(connectionId: ConnectionId, count: number, nowMs: number): Promise<'admitted' | 'too_many'> {
    return this.#update({
      Key: newContactsKey(connectionId, Math.floor(nowMs / DAY_MS)),
      UpdateExpression: 'ADD made :count SET #ttl = :ttl',
      ConditionExpression: 'attribute_not_exists(pk) OR made <= :room',
      ExpressionAttributeNames: { '#ttl': 'ttl' },
      ExpressionAttributeValues: {
        ':count': count,
        ':room': NEW_CONTACTS_A_DAY - count,
        ':ttl': expiryOf('newContacts', nowMs),
      },
    }).then((isDone) => (isDone ? 'admitted' : 'too_many'));
  }

  /** Makes a write. Returns whether its condition held. */
  async write(connectionId: ConnectionId, write: ContactWrite, nowMs: number): Promise<boolean> {
    const ttl = expiryOf('contact', nowMs);
    switch (write.write) {
      case 'make':
        return this.#put({ ...contactKey(connectionId, write.contact.id), ...fitted(write.contact), ttl }, true);
      case 'lead':
        return this.#put({ ...contactNumberKey(connectionId, write.number), id: write.id, ttl }, false);
      case 'change':
        return this.#set(
          contactKey(connectionId, write.id),
          { ...fitted(write.set), version: write.version + 1, ttl },
          write.version,
        );
      case 'merge':
        return this.#set(contactKey(connectionId, write.id), { mergedInto: write.into, ttl });
      case 'lose_number':
        return this.#set(contactKey(connectionId, write.id), { number: '' });
      default:
        return write satisfies never;
    }
  }

  async #get(connectionId: ConnectionId, id: string, nowMs: number): Promise<Contact | undefined> {
    return toContact(await this.#read(contactKey(connectionId, id)), nowMs);
  }

  async #read(Key: ItemKey): Promise<Item | undefined> {
    const { Item } = await this.#table.send(new GetCommand({ TableName: this.#TableName, Key, ConsistentRead: true }));
    return Item;
  }

  async #getAll(keys: readonly ItemKey[]): Promise<Map<string, Item>> {
    const distinct = [...new Map(keys.map((key) => [key.sk, key])).values()];
    const found = new Map<string, Item>();
    for (let from = 0; from < distinct.length; from += BATCH) {
      const Keys = distinct.slice(from, from + BATCH).map((key) => ({ ...key }));
      // What DynamoDB does not read at once, in a moment of much traffic, counts as not there: a write that relies on it is refused.
      const { Responses } = await this.#table.send(
        new BatchGetCommand({ RequestItems: { [this.#TableName]: { Keys } } }),
      );
      for (const item of Responses?.[this.#TableName] ?? []) found.set(String(item['sk']), item);
    }
    return found;
  }

  async #page<Shown>(
    connectionId: ConnectionId,
    prefix: string,
    page: { readonly after: string | undefined; readonly limit: number; readonly pageSize: number },
    show: (item: Item) => Shown | undefined,
  ): Promise<Page<Shown>> {
    const pk = contactPartition(connectionId);
    const kind = prefix.startsWith(CONTACT_PREFIX) ? CONTACT_PREFIX : CONTACT_NUMBER_PREFIX;
    const input = {
      TableName: this.#TableName,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': pk, ':prefix': prefix },
    };
    const after = page.after === undefined ? undefined : { pk, sk: `${kind}${page.after}` };
    return readPage(queryItems(this.#table, input, { after, pageSize: page.pageSize }), { limit: page.limit, show });
  }

  async #put(Item: Item, onlyNew: boolean): Promise<boolean> {
    const condition = onlyNew ? { ConditionExpression: 'attribute_not_exists(pk)' } : {};
    return held(this.#table.send(new PutCommand({ TableName: this.#TableName, Item, ...condition })));
  }

  #set(Key: ItemKey, values: Item, version?: number): Promise<boolean> {
    const sets = Object.entries(values).filter(([, value]) => value !== undefined);
    return this.#update({
      Key,
      UpdateExpression: `SET ${sets.map(([name]) => `#${name} = :${name}`).join(', ')}`,
      ConditionExpression: `attribute_exists(pk)${version === undefined ? '' : ' AND #version = :was'}`,
      ExpressionAttributeNames: Object.fromEntries(sets.map(([name]) => [`#${name}`, name])),
      ExpressionAttributeValues: {
        ...Object.fromEntries(sets.map(([name, value]) => [`:${name}`, value])),
        ...(version === undefined ? {} : { ':was': version }),
      },
    });
  }

  #update(input: Omit<UpdateCommand['input'], 'TableName' | 'Key'> & { readonly Key: ItemKey }): Promise<boolean> {
    return held(this.#table.send(new UpdateCommand({ ...input, TableName: this.#TableName, Key: { ...input.Key } })));
  }
}

type KnownContact = Contact & { readonly mergedInto?: string | undefined };

/** The contact of a row; undefined for one whose time is over, and for the row of a number that is no person of its own any more. */
function toContact(item: Item | undefined, nowMs: number): Contact | undefined {
  if (item === undefined || isExpired(item, nowMs) || item['mergedInto'] !== undefined) return undefined;
  const { number, ...contact } = item as unknown as Contact;
  return { ...contact, ...(number === undefined || number === '' ? {} : { number }) };
}

/** A row with names of bounded length. */
function fitted(set: Partial<Contact>): Item {
  return Object.fromEntries(
    Object.entries(set).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, typeof value === 'string' ? firstCharacters(value, NAME_CHARACTERS) : value]],
    ),
  );
}

async function held(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}
