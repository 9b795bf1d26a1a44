/**
 * The three tables and their indexes, as data: the infrastructure and the embedded stack both make them from this.
 * There are three tables because permissions, restore and throttling differ (docs/design.md, "Parts").
 */
export interface TableDefinition {
  readonly name: 'core' | 'fleet' | 'sessions';
  readonly purpose: string;
  /** The attribute that holds the expiry, in seconds since 1970. AWS deletes late: readers also compare it. */
  readonly ttlAttribute: 'ttl';
  readonly indexes: readonly IndexDefinition[];
}

export interface IndexDefinition {
  readonly name: string;
  readonly partitionKey: string;
  readonly sortKey: string;
  readonly purpose: string;
}

/** The sparse index that holds the connections that are wanted online, by shard. */
export const SHARD_INDEX = {
  name: 'by-shard',
  partitionKey: 'shardKey',
  sortKey: 'sk',
  purpose: 'the connections of a shard that are wanted online; the attribute is absent on all other items',
} as const satisfies IndexDefinition;

export const tableDefinitions: readonly TableDefinition[] = [
  {
    name: 'core',
    purpose: 'tenants, API keys, connections, messages, events, webhooks; Lambdas and workers',
    ttlAttribute: 'ttl',
    indexes: [SHARD_INDEX],
  },
  { name: 'fleet', purpose: 'worker leases, shard ownership, leader; workers', ttlAttribute: 'ttl', indexes: [] },
  { name: 'sessions', purpose: 'credentials and Signal keys; workers only', ttlAttribute: 'ttl', indexes: [] },
];

/** The physical name of a table in a stage, for example `prod-core`. */
export function tableName(stage: string, table: TableDefinition['name']): string {
  return `${stage}-${table}`;
}
