import type { TenantId } from '../kernel/id.ts';
import { retentionSeconds } from '../platform/expiry.ts';
import { firstKeptBytesKey, fileSettingsKey, readerPartition } from '../platform/keys.ts';
import { bucketKey, unpairedPartition } from '../platform/quotaKeys.ts';

/** What becomes of the partitions of a kind when their tenant is deleted. */
export type PartitionRule =
  /** Partitions of a connection, or of what it has, go with it. */
  | { readonly goes: 'with_connection' }
  /** Partitions of the tenant itself take nothing else to find. */
  | { readonly goes: 'with_tenant'; readonly partition: (tenantId: TenantId) => string }
  /** Partitions to which other rows of the tenant lead are found by these. */
  | { readonly goes: 'in_its_own_way'; readonly foundBy: string }
  /** What is in them ends by itself in so many seconds, and says this much of a tenant. */
  | { readonly goes: 'by_itself'; readonly inSeconds: number; readonly says: string }
  /** Partitions that say nothing of a tenant stay. */
  | { readonly goes: 'not'; readonly holds: string };

const withConnection = { goes: 'with_connection' } as const;
const { audit, dueNote, openAction, unqueued, waitingDelivery } = retentionSeconds;

/** All kinds of partitions of the table Core, by the beginnings of their keys. A test compares it with those that any process may touch. */
export const tenantPartitions = {
  ACTIONS: { goes: 'by_itself', inSeconds: openAction, says: 'the ids of an action that nobody has ended' },
  ARCHIVE: { goes: 'in_its_own_way', foundBy: 'the tenant; objects of exports before their rows' },
  AUDIT: { goes: 'by_itself', inSeconds: audit, says: 'who changed what; no process may remove it' },
  BULK: withConnection,
  CHATS: withConnection,
  CON: withConnection,
  CONTACTS: withConnection,
  DUE: withConnection,
  ENDPOINT: { goes: 'in_its_own_way', foundBy: 'webhooks of the tenant, and its connections' },
  ERASURES: { goes: 'not', holds: 'what is to be removed of connections' },
  EVENTS: { goes: 'in_its_own_way', foundBy: 'the directory of its log, and the counters of its lanes' },
  FILES: { goes: 'with_tenant', partition: (tenantId) => fileSettingsKey(tenantId).pk },
  HISTORY: withConnection,
  KEPT: { goes: 'with_tenant', partition: (tenantId) => firstKeptBytesKey(tenantId, 0).pk },
  KEY: { goes: 'in_its_own_way', foundBy: 'the keys that are listed of the tenant' },
  LOOK: { goes: 'by_itself', inSeconds: dueNote, says: 'ids of connections and messages' },
  MEDIA: { goes: 'in_its_own_way', foundBy: 'the notes of its files' },
  OBJECT: { goes: 'in_its_own_way', foundBy: 'the rows of its files' },
  PARKED: withConnection,
  PATIENCE: { goes: 'not', holds: 'how many deliveries wait for any receiver' },
  RATE: { goes: 'with_tenant', partition: (tenantId) => bucketKey({ tenantId, quota: '', of: undefined }).pk },
  READERS: { goes: 'with_tenant', partition: (tenantId) => readerPartition(tenantId, 'waiting').pk },
  RETRY: { goes: 'by_itself', inSeconds: waitingDelivery, says: 'ids of webhooks and deliveries' },
  SHARD: { goes: 'not', holds: 'how many connections a shard has' },
  TENANT: { goes: 'in_its_own_way', foundBy: 'the tenant; what says that it was deleted stays' },
  TENANTS: { goes: 'in_its_own_way', foundBy: 'the tenant; what says that it was deleted stays' },
  TENANT_WORK: { goes: 'not', holds: 'what is to be done with connections' },
  TICKET: { goes: 'by_itself', inSeconds: 60, says: 'the id of a tenant whose ticket opens nothing any more' },
  UNPAIRED: { goes: 'with_tenant', partition: unpairedPartition },
  UNQUEUED: { goes: 'by_itself', inSeconds: unqueued, says: 'ids of connections' },
  UPLOAD: { goes: 'in_its_own_way', foundBy: 'the rows of its files' },
} as const satisfies Readonly<Record<string, PartitionRule>>;

/** The kinds of partitions that a connection has, all of which go with it. Those of the lines of bulk sends are found by their bulk sends. */
export const partitionsOfConnections: readonly string[] = Object.entries(tenantPartitions)
  .filter(([, { goes }]) => goes === 'with_connection')
  .map(([kind]) => kind);

/** The partitions of a tenant that take nothing else to find. */
export function ownPartitions(tenantId: TenantId): readonly string[] {
  return Object.values(tenantPartitions).flatMap((rule) =>
    rule.goes === 'with_tenant' ? [rule.partition(tenantId)] : [],
  );
}
