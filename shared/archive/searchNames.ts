import type { Connection } from '../connection/connection.ts';
import type { ConnectionStore } from '../connection/connectionStore.ts';
import type { ContactStore } from '../contact/contactStore.ts';
import type { ConnectionId, TenantId } from '../kernel/id.ts';
import { toPhoneJid } from '../kernel/jid.ts';
import type { Surroundings } from '../platform/surroundings.ts';
import { FIRST_ROWS, type JobPlace } from './jobPlace.ts';

export interface SearchDependencies extends Pick<Surroundings, 'clock'> {
  readonly connections: Pick<ConnectionStore, 'find' | 'list'>;
  readonly contacts: Pick<ContactStore, 'find'>;
}

/** The most addresses of one person: a LID, and numbers that they have had. */
const MOST_NAMES = 8;
/** The connections that are looked at before it is written down how far one came. */
const LOOKED_AT_ONCE = 50;

/** The connection of a tenant behind another one, in the order of their ids; the first where there is none before. */
export async function nextConnection(
  { connections }: Pick<SearchDependencies, 'connections'>,
  { tenantId, only }: { readonly tenantId: TenantId; readonly only: ConnectionId | undefined },
  after: ConnectionId | undefined,
): Promise<Connection | undefined> {
  if (only !== undefined) {
    const connection = after === undefined ? await connections.find(tenantId, only) : undefined;
    return connection?.wanted === 'deleted' ? undefined : connection;
  }
  return (await connections.list(tenantId, { after, limit: 1 })).connections[0];
}

/**
 * Looks for all addresses of a person at the next connections: one knows the number and another one the LID. Ends where a search through all of them
 * found none that was not known; the place is then the first of the rows.
 */
export async function searchNames(
  dependencies: SearchDependencies,
  job: {
    readonly tenantId: TenantId;
    readonly only: ConnectionId | undefined;
    readonly names: readonly string[];
    readonly place: JobPlace;
  },
  mayGoOn: () => boolean,
): Promise<{ readonly names: readonly string[]; readonly place: JobPlace }> {
  const names = new Set(job.names);
  let { connectionId, hasGrown } = job.place;
  for (let looked = 0; looked < LOOKED_AT_ONCE && mayGoOn(); looked += 1) {
    const connection = await nextConnection(dependencies, job, connectionId);
    if (connection === undefined) {
      const place: JobPlace = hasGrown === true ? { phase: 'names', section: 0 } : FIRST_ROWS;
      return { names: [...names], place };
    }
    for (const found of await namesAt(dependencies, connection, [...names])) {
      if (names.has(found) || names.size >= MOST_NAMES) continue;
      names.add(found);
      hasGrown = true;
    }
    ({ connectionId } = connection);
  }
  return { names: [...names], place: { phase: 'names', section: 0, connectionId, hasGrown } };
}

async function namesAt(
  { contacts, clock }: Pick<SearchDependencies, 'contacts' | 'clock'>,
  { connectionId }: Connection,
  names: readonly string[],
): Promise<readonly string[]> {
  const known = await Promise.all(names.map((name) => contacts.find(connectionId, name, clock.nowMs())));
  return known.flatMap((contact) => {
    if (contact === undefined) return [];
    const { id, number } = contact;
    return number === undefined ? [id] : [id, toPhoneJid(number)];
  });
}
