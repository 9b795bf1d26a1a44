import type { TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import type { DeletionProgress, DeletionReceipt } from '../identity/standing.ts';
import type { TenantId } from '../kernel/id.ts';
import { expiryOf } from '../platform/expiry.ts';
import { tenantKey, tenantListKey } from '../platform/keys.ts';
import { tableName } from '../platform/tables.ts';

/**
 * The time for which what was deleted can still be brought back from copies of the tables: point-in-time recovery reaches 35 days back, and no daily copy is kept for longer
 * (infra/settings/settings.ts).
 */
export const BACKUP_DAYS = 35;
const DAY_MS = 86_400_000;

export function backupsUntilMs({ deletedAtMs }: Pick<DeletionReceipt, 'deletedAtMs'>): number {
  return deletedAtMs + BACKUP_DAYS * DAY_MS;
}

/** The write by which a tenant says how far its deletion is. Condition: it is being deleted. */
export function progressWrite(
  stage: string,
  tenantId: TenantId,
  progress: DeletionProgress,
): NonNullable<TransactWriteCommandInput['TransactItems']>[number] {
  return {
    Update: {
      TableName: tableName(stage, 'core'),
      Key: { ...tenantKey(tenantId) },
      UpdateExpression: 'SET standing.progress = :progress',
      ConditionExpression: 'standing.#state = :deleting',
      ExpressionAttributeNames: { '#state': 'state' },
      ExpressionAttributeValues: { ':progress': progress, ':deleting': 'deleting' },
    },
  };
}

/** The writes by which a tenant says that it was deleted, for as long as its trail of audit is kept. Condition: it is being deleted. */
export function deletedWrites(
  stage: string,
  { tenantId, sinceMs }: { readonly tenantId: TenantId; readonly sinceMs: number },
  receipt: DeletionReceipt,
): NonNullable<TransactWriteCommandInput['TransactItems']> {
  const standing = { state: 'deleted', sinceMs, ...receipt } as const;
  return [tenantKey(tenantId), tenantListKey(tenantId)].map((Key) => ({
    Update: {
      TableName: tableName(stage, 'core'),
      Key: { ...Key },
      UpdateExpression: 'SET standing = :standing, #ttl = :ttl',
      ConditionExpression: 'standing.#state = :deleting',
      ExpressionAttributeNames: { '#state': 'state', '#ttl': 'ttl' },
      ExpressionAttributeValues: {
        ':standing': standing,
        ':ttl': expiryOf('audit', receipt.deletedAtMs),
        ':deleting': 'deleting',
      },
    },
  }));
}
