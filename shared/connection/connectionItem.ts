import type { ConnectionId, TenantId } from '../kernel/id.ts';
import { connectionKey, shardIndexKey } from '../platform/keys.ts';
import { SHARD_INDEX } from '../platform/tables.ts';
import type { Connection, ConnectionAccount, WantedLogout, WantedPairing, WantedState } from './connection.ts';
import { toFiltered } from './filteredMessages.ts';
import { readPace } from './pace.ts';
import type { PauseCode } from './sendsPause.ts';
import type { StoredSettings } from './settings.ts';
import type { ConnectionStatus, StatusCode } from './status.ts';

/** A connection as its item in the core table. */
export function toItem(connection: Connection): Record<string, unknown> {
  return {
    ...connectionKey(connection.tenantId, connection.connectionId),
    [SHARD_INDEX.partitionKey]: shardIndexKey(connection.shard),
    ...connection,
  };
}

export function toConnection(item: Record<string, unknown>): Connection {
  return {
    tenantId: item['tenantId'] as TenantId,
    connectionId: item['connectionId'] as ConnectionId,
    label: item['label'] as string | undefined,
    shard: item['shard'] as number,
    wanted: item['wanted'] as WantedState,
    pairing: item['pairing'] as WantedPairing | undefined,
    account: item['account'] as ConnectionAccount | undefined,
    status: item['status'] as ConnectionStatus,
    statusCode: item['statusCode'] as StatusCode,
    statusSinceMs: item['statusSinceMs'] as number,
    nextAttemptAtMs: item['nextAttemptAtMs'] as number | undefined,
    sendsPausedUntilMs: item['sendsPausedUntilMs'] as number | undefined,
    sendsPausedBecause: item['sendsPausedBecause'] as PauseCode | undefined,
    pace: readPace(item['pace']),
    transitions: item['transitions'] as number | undefined,
    metadata: item['metadata'] as Readonly<Record<string, string>> | undefined,
    settings: item['settings'] as StoredSettings | undefined,
    changes: item['changes'] as number | undefined,
    logout: item['logout'] as WantedLogout | undefined,
    createdAtMs: item['createdAtMs'] as number,
    unpairedPlace: item['unpairedPlace'] as number | undefined,
    parkedCount: (item['parkedCount'] as number | undefined) ?? 0,
    filtered: toFiltered(item),
  };
}
