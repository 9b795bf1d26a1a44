import { LRUCache } from 'lru-cache';
import type { Connection } from '../../shared/connection/connection.ts';
import type { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import type { ConnectionId, TenantId } from '../../shared/kernel/id.ts';
import { maySend } from '../../shared/message/acceptMessage.ts';
import { findConnection } from './connections.ts';

/** How long a connection is remembered, in milliseconds: one read a connection, process and second, and not one a message. */
const REMEMBERED_MS = 1_000;
const REMEMBERED_CONNECTIONS = 10_000;

/**
 * The connections to which messages may be sent. One that may send is remembered for a second; a refusal is always read
 * anew. A connection that is unlinked or deleted by another process within that second accepts a message that then fails
 * with the reason, and its limit of parked messages may be passed by what comes in that second.
 */
export class SendableConnections {
  readonly #connections: Pick<ConnectionStore, 'find'>;
  readonly #known = new LRUCache<ConnectionId, Connection>({ max: REMEMBERED_CONNECTIONS, ttl: REMEMBERED_MS });

  constructor(connections: Pick<ConnectionStore, 'find'>) {
    this.#connections = connections;
  }

  /** Finds a tenant's connection to send on. Throws `connection_not_found`. */
  async find(tenantId: TenantId, connectionId: string | undefined): Promise<Connection> {
    const known = this.#known.get(connectionId as ConnectionId);
    if (known?.tenantId === tenantId) return known;
    const connection = await findConnection(this.#connections, tenantId, connectionId);
    if (maySend(connection)) this.#known.set(connection.connectionId, connection);
    return connection;
  }

  /** Reads a connection anew the next time, because this process changes it. */
  forget(connectionId: ConnectionId): void {
    this.#known.delete(connectionId);
  }
}
