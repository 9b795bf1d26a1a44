import { GetCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { AppError } from '../kernel/appError.ts';
import type { TenantId } from '../kernel/id.ts';
import { tenantKey } from '../platform/keys.ts';
import { tableName } from '../platform/tables.ts';

/** How a tenant stands: whether its keys open anything. */
export type TenantStanding =
  | { readonly state: 'active' }
  | {
      readonly state: 'suspended';
      /** What its operator says of it, which its callers read. */
      readonly reason: string;
      readonly sinceMs: number;
    }
  | {
      /** All that there is of it is being removed; nothing leads back from here. */
      readonly state: 'deleting';
      readonly sinceMs: number;
      /** How far that is, as its job wrote it down last. */
      readonly progress?: DeletionProgress;
    }
  | ({
      readonly state: 'deleted';
      /** When it was asked for. */
      readonly sinceMs: number;
    } & DeletionReceipt);

export interface DeletionProgress {
  readonly step: string;
  /** What the step has still to do: connections or files. */
  readonly left?: number | undefined;
  readonly removed: Readonly<Record<string, number>>;
  /** When it last came further. */
  readonly atMs: number;
}

/** What is kept of a tenant that was deleted. */
export interface DeletionReceipt {
  readonly deletedAtMs: number;
  /** How much was removed, by what it was. */
  readonly removed: Readonly<Record<string, number>>;
}

/** How a tenant stands from which there is a way back. */
export type OpenStanding = Extract<TenantStanding, { readonly state: 'active' | 'suspended' }>;

export const ACTIVE: OpenStanding = { state: 'active' };

/** How a tenant stands, as its row has it. */
export function standingIn(item: Readonly<Record<string, unknown>>): TenantStanding {
  return (item['standing'] as TenantStanding | undefined) ?? ACTIVE;
}

/** Reads how a tenant stands, strongly; undefined where there is none. */
export async function findStanding(
  { table, stage }: { readonly table: DynamoDBDocumentClient; readonly stage: string },
  tenantId: TenantId,
): Promise<TenantStanding | undefined> {
  const { Item } = await table.send(
    new GetCommand({
      TableName: tableName(stage, 'core'),
      Key: tenantKey(tenantId),
      ProjectionExpression: 'pk, standing',
      ConsistentRead: true,
    }),
  );
  return Item === undefined ? undefined : standingIn(Item);
}

/** Whether a tenant is being deleted, or was. */
export function isEnding(standing: TenantStanding): boolean {
  return standing.state === 'deleting' || standing.state === 'deleted';
}

/** Throws `unauthorized` where there is no such tenant, `tenant_deleted` for one that is being deleted, and `tenant_suspended` with the reason for one that is suspended. */
export function assertActive(standing: TenantStanding | undefined): void {
  if (standing === undefined) throw new AppError('unauthorized');
  if (standing.state === 'active') return;
  const since = new Date(standing.sinceMs).toISOString();
  if (standing.state !== 'suspended') {
    throw new AppError('tenant_deleted', {
      detail: `This tenant is being deleted since ${since}, with all that it has.`,
    });
  }
  throw new AppError('tenant_suspended', {
    detail: `This tenant is suspended since ${since}: ${standing.reason} Its data is kept. Ask the operator of this service.`,
  });
}
