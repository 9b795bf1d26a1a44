import type { ConnectionId, TenantId } from '../../shared/kernel/id.ts';

/** The connection that a worker works on, and the token under which the worker owns the connection's shard. */
export interface OwnedConnection {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
  readonly shard: number;
  /** The shard's epoch: the fencing token of every write for this connection. */
  readonly token: number;
}
