import { ConditionalCheckFailedException, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  GetCommand,
  TransactWriteCommand,
  type DynamoDBDocumentClient,
  type TransactWriteCommandInput,
} from '@aws-sdk/lib-dynamodb';
import { findStanding, isEnding, type OpenStanding, type TenantStanding } from '../identity/standing.ts';
import type { CorrelationId, TenantId } from '../kernel/id.ts';
import { tenantKey, tenantListKey } from '../platform/keys.ts';
import { queryItems } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import { TENANT_WORK, tenantWorkKey } from '../platform/tenantKeys.ts';

/** What is to be done with all connections and webhooks of a tenant. */
export interface TenantWork {
  readonly tenantId: TenantId;
  readonly work: 'suspend' | 'resume' | 'delete';
  /** When it was asked for, in milliseconds since 1970; it tells one work from a later one. */
  readonly sinceMs: number;
  readonly correlationId: CorrelationId;
}

type Write = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

export interface TenantWorkTable {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
}

/**
 * Writes how a tenant stands, and in the same transaction that its connections and webhooks are to follow: whoever dies after it leaves
 * that to the next run. A later work takes the place of an earlier one. Condition: the tenant exists, and is not being deleted. Returns `missing` or `ending`
 * where that does not hold.
 */
export async function changeStanding(
  { table, stage }: TenantWorkTable,
  standing: OpenStanding,
  work: TenantWork,
): Promise<'changed' | 'missing' | 'ending'> {
  const writes = standingWrites(stage, standing, work, {
    ...SUSPENDED,
    ConditionExpression: `attribute_exists(pk) AND (attribute_not_exists(standing) OR ${SUSPENDED.ConditionExpression})`,
  });
  if (await isWritten(table, writes)) return 'changed';
  const found = await findStanding({ table, stage }, work.tenantId);
  return found !== undefined && isEnding(found) ? 'ending' : 'missing';
}

/**
 * Has a tenant deleted: from here on it stands so, its connections are to end, and a job removes all else. All in one transaction with what begins that job.
 * Condition: it is suspended. Returns `changed` where it is not, or not any more.
 */
export async function beginDeletion(
  { table, stage }: TenantWorkTable,
  work: TenantWork & { readonly work: 'delete' },
  beginning: readonly Write[],
): Promise<'begun' | 'changed'> {
  const standing = { state: 'deleting', sinceMs: work.sinceMs } as const;
  const writes = standingWrites(stage, standing, work, SUSPENDED);
  return (await isWritten(table, [...writes, ...beginning])) ? 'begun' : 'changed';
}

const SUSPENDED = {
  ConditionExpression: 'standing.#state = :suspended',
  ExpressionAttributeNames: { '#state': 'state' },
  ExpressionAttributeValues: { ':suspended': 'suspended' },
} as const;

/** The writes by which a tenant stands otherwise, and its connections and webhooks are to follow. */
function standingWrites(
  stage: string,
  standing: TenantStanding,
  work: TenantWork,
  condition:
    typeof SUSPENDED | (Omit<typeof SUSPENDED, 'ConditionExpression'> & { readonly ConditionExpression: string }),
): readonly Write[] {
  const TableName = tableName(stage, 'core');
  const { ExpressionAttributeValues: values, ...common } = condition;
  const write =
    standing.state === 'active'
      ? { UpdateExpression: 'REMOVE standing', ExpressionAttributeValues: values }
      : {
          UpdateExpression: 'SET standing = :standing',
          ExpressionAttributeValues: { ...values, ':standing': standing },
        };
  const keys = [tenantKey(work.tenantId), tenantListKey(work.tenantId)];
  return [
    ...keys.map((Key) => ({ Update: { TableName, Key: { ...Key }, ...common, ...write } })),
    { Put: { TableName, Item: { ...tenantWorkKey(work.tenantId), ...work } } },
  ];
}

/** Makes some writes together. Returns false where one of their conditions does not hold. */
async function isWritten(table: DynamoDBDocumentClient, writes: readonly Write[]): Promise<boolean> {
  try {
    await table.send(new TransactWriteCommand({ TransactItems: [...writes] }));
    return true;
  } catch (error) {
    const reasons = error instanceof TransactionCanceledException ? (error.CancellationReasons ?? []) : [];
    if (reasons.some(({ Code }) => Code === 'ConditionalCheckFailed')) return false;
    throw error;
  }
}

/** Whether something is still to be done with the connections and webhooks of a tenant, read strongly. */
export async function hasTenantWork({ table, stage }: TenantWorkTable, tenantId: TenantId): Promise<boolean> {
  const { Item } = await table.send(
    new GetCommand({ TableName: tableName(stage, 'core'), Key: tenantWorkKey(tenantId), ConsistentRead: true }),
  );
  return Item !== undefined;
}

/** Lists what is to be done, read as it is needed. */
export async function* listTenantWork({ table, stage }: TenantWorkTable): AsyncGenerator<TenantWork> {
  const items = queryItems(table, {
    TableName: tableName(stage, 'core'),
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': TENANT_WORK },
    ConsistentRead: true,
  });
  for await (const item of items) yield item as unknown as TenantWork;
}

/** Ends a work. Condition: no later one has taken its place. */
export async function endTenantWork(
  { table, stage }: TenantWorkTable,
  { tenantId, sinceMs }: TenantWork,
): Promise<void> {
  try {
    await table.send(
      new DeleteCommand({
        TableName: tableName(stage, 'core'),
        Key: tenantWorkKey(tenantId),
        ConditionExpression: 'sinceMs = :since',
        ExpressionAttributeValues: { ':since': sinceMs },
      }),
    );
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
}
