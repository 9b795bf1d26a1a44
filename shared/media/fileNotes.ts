import { DeleteCommand, PutCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { MediaId, TenantId } from '../kernel/id.ts';
import { expiryOf } from '../platform/expiry.ts';
import { firstOf, queryItems } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import { TENANT_FILE_PREFIX, tenantFileKey } from '../platform/tenantKeys.ts';

export interface FileNotes {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
}

/** A file of a tenant. */
interface FileName {
  readonly tenantId: TenantId;
  readonly mediaId: MediaId;
}

/**
 * Notes a file by which it is found when its tenant is deleted: files have partitions of their own, to which nothing else of a tenant leads. It is noted before its row
 * is written, so a note may be of a file that never came to be. Again it comes to the same.
 */
export async function noteTenantFile({ table, stage }: FileNotes, file: FileName, nowMs: number): Promise<void> {
  const { tenantId, mediaId } = file;
  const Item = { ...tenantFileKey(tenantId, mediaId), mediaId, ttl: expiryOf('message', nowMs) };
  await table.send(new PutCommand({ TableName: tableName(stage, 'core'), Item }));
}

/** The first files that are noted of a tenant, in the order of their ids; read strongly. */
export async function listTenantFiles(
  { table, stage }: FileNotes,
  tenantId: TenantId,
  most: number,
): Promise<readonly MediaId[]> {
  const { pk } = tenantFileKey(tenantId, '' as MediaId);
  const items = queryItems(table, {
    TableName: tableName(stage, 'core'),
    KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
    ExpressionAttributeValues: { ':pk': pk, ':prefix': TENANT_FILE_PREFIX },
    ConsistentRead: true,
  });
  return (await firstOf(items, most)).map(({ mediaId }) => mediaId as MediaId);
}

/** Forgets a file of which nothing is left. */
export async function forgetTenantFile({ table, stage }: FileNotes, { tenantId, mediaId }: FileName): Promise<void> {
  await table.send(new DeleteCommand({ TableName: tableName(stage, 'core'), Key: tenantFileKey(tenantId, mediaId) }));
}
