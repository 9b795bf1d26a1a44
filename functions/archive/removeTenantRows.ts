import { DeleteCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { exportObjectKey, type ExportFiles } from '../../shared/archive/exportFiles.ts';
import type { DeletionJob } from '../../shared/archive/archiveJob.ts';
import { ownPartitions } from '../../shared/archive/tenantPartitions.ts';
import { logPartitions } from '../../shared/event/endLog.ts';
import type { ConnectionId, EndpointId, ExportId, TenantId } from '../../shared/kernel/id.ts';
import type { ObjectStore } from '../../shared/media/objectStore.ts';
import {
  ARCHIVE_JOB_PREFIX,
  archiveJobKey,
  archivePartition,
  dueArchiveKey,
  EXPORT_FILE_PREFIX,
  type ArchiveJobId,
} from '../../shared/platform/archiveKeys.ts';
import {
  API_KEY_PREFIX,
  apiKeyKey,
  attemptPartition,
  chainPartition,
  ENDPOINT_PREFIX,
  eventDirectoryKey,
  tenantKey,
} from '../../shared/platform/keys.ts';
import { queryItems, type Item } from '../../shared/platform/pages.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { tableName } from '../../shared/platform/tables.ts';

export interface RemoveDependencies extends Pick<Surroundings, 'clock'> {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
  readonly files: Pick<ExportFiles, 'remove'>;
  readonly objects: Pick<ObjectStore, 'remove'>;
}

/** What a run removed, and whether that was all. */
interface Removed {
  readonly removed: Readonly<Record<string, number>>;
  readonly isAll: boolean;
}

/** Rows that are removed side by side before it is seen whether there is time for more. */
const SIDE_BY_SIDE = 16;

/**
 * Removes what is left of a tenant whose conversations and files are gone. What leads to other rows goes behind them, so whoever dies leaves the rest to be found. The
 * row of the job itself stays, and so do that of the tenant and the mark that its log has ended.
 */
export async function removeTenantRows(
  dependencies: RemoveDependencies,
  { tenantId }: Pick<DeletionJob, 'tenantId'>,
  connectionIds: readonly ConnectionId[],
  mayGoOn: () => boolean,
): Promise<Removed> {
  const sweep = new Sweep(dependencies, mayGoOn);
  const isAll =
    (await removeWebhooks(sweep, tenantId, connectionIds)) &&
    (await removeLog(sweep, dependencies, tenantId)) &&
    (await removeOwn(sweep, tenantId)) &&
    (await removeTenant(sweep, tenantId)) &&
    (await removeArchive(sweep, dependencies, tenantId));
  return { removed: sweep.removed, isAll };
}

async function removeWebhooks(
  sweep: Sweep,
  tenantId: TenantId,
  connectionIds: readonly ConnectionId[],
): Promise<boolean> {
  const isOne = ({ sk }: Item): boolean => String(sk).startsWith(ENDPOINT_PREFIX);
  return sweep.each({ pk: tenantKey(tenantId).pk, isOne }, 'webhooks', async (row) => {
    const endpointId = row['endpointId'] as EndpointId;
    for (const connectionId of connectionIds) {
      if (!(await sweep.all(chainPartition(endpointId, connectionId)))) return false;
    }
    return sweep.all(attemptPartition(endpointId));
  });
}

async function removeLog(sweep: Sweep, dependencies: RemoveDependencies, tenantId: TenantId): Promise<boolean> {
  for await (const { pk, holds } of logPartitions(dependencies, tenantId)) {
    if (!(await sweep.all(pk, holds === 'counter' ? 'otherRows' : holds))) return false;
  }
  return true;
}

async function removeOwn(sweep: Sweep, tenantId: TenantId): Promise<boolean> {
  for (const pk of ownPartitions(tenantId)) if (!(await sweep.all(pk))) return false;
  return true;
}

/** Removes the keys, those by which they are found before those by which they are listed, and what else is of the tenant. */
async function removeTenant(sweep: Sweep, tenantId: TenantId): Promise<boolean> {
  const { pk, sk: own } = tenantKey(tenantId);
  const staying = new Set([own, eventDirectoryKey(tenantId).sk]);
  const isKey = ({ sk }: Item): boolean => String(sk).startsWith(API_KEY_PREFIX);
  const isRest = (row: Item): boolean => !staying.has(String(row['sk'])) && !isKey(row);
  const keysAreGone = await sweep.each({ pk, isOne: isKey }, 'keys', async ({ hash }) => {
    await sweep.remove({ ...apiKeyKey(String(hash)) });
    return true;
  });
  return keysAreGone && sweep.each({ pk, isOne: isRest }, 'otherRows');
}

/** Removes what is left of exports, each object before its row, and the other jobs; then the notes of connections. */
async function removeArchive(sweep: Sweep, dependencies: RemoveDependencies, tenantId: TenantId): Promise<boolean> {
  const pk = archivePartition(tenantId);
  const own = archiveJobKey(tenantId, 'deletion').sk;
  const isOne = ({ sk }: Item): boolean => String(sk) !== own;
  return sweep.each({ pk, isOne }, 'otherRows', async ({ sk, name, jobId, dueAtMs }) => {
    const key = String(sk);
    if (key.startsWith(EXPORT_FILE_PREFIX)) {
      const [exportId] = key.slice(EXPORT_FILE_PREFIX.length).split('#');
      await dependencies.objects.remove(exportObjectKey({ tenantId, jobId: exportId as ExportId }, String(name)));
    }
    if (key.startsWith(ARCHIVE_JOB_PREFIX)) {
      await sweep.remove({ ...dueArchiveKey(tenantId, jobId as ArchiveJobId, Number(dueAtMs)) });
    }
    return true;
  });
}

/** Removes rows as long as there is time, and counts them. */
class Sweep {
  readonly removed: Record<string, number> = {};
  readonly #dependencies: Pick<RemoveDependencies, 'table' | 'stage'>;
  readonly #mayGoOn: () => boolean;

  constructor(dependencies: Pick<RemoveDependencies, 'table' | 'stage'>, mayGoOn: () => boolean) {
    this.#dependencies = dependencies;
    this.#mayGoOn = mayGoOn;
  }

  /** Removes all rows of a partition. Returns whether there was time for all. */
  all(pk: string, kind = 'otherRows'): Promise<boolean> {
    return this.each({ pk, isOne: () => true }, kind);
  }

  /**
   * Removes some rows of a partition.
   * @param before removes what a row leads to; the row stays where it returns false
   */
  async each(
    { pk, isOne }: { readonly pk: string; readonly isOne: (row: Item) => boolean },
    kind: string,
    before: (row: Item) => Promise<boolean> = () => Promise.resolve(true),
  ): Promise<boolean> {
    const { table, stage } = this.#dependencies;
    const items = queryItems(table, {
      TableName: tableName(stage, 'core'),
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': pk },
      ConsistentRead: true,
    });
    let some: Item[] = [];
    for await (const row of items) {
      if (!isOne(row)) continue;
      if (!this.#mayGoOn() || !(await before(row))) return false;
      some.push(row);
      if (some.length < SIDE_BY_SIDE) continue;
      await this.#removeAll(some, kind);
      some = [];
    }
    await this.#removeAll(some, kind);
    return true;
  }

  async remove(key: Item): Promise<void> {
    const { table, stage } = this.#dependencies;
    await table.send(new DeleteCommand({ TableName: tableName(stage, 'core'), Key: key }));
  }

  async #removeAll(rows: readonly Item[], kind: string): Promise<void> {
    await Promise.all(rows.map(({ pk, sk }) => this.remove({ pk, sk })));
    if (rows.length > 0) this.removed[kind] = (this.removed[kind] ?? 0) + rows.length;
  }
}
