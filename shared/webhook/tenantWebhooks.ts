import { TransactWriteCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { wasOvertaken, whileTenantIs } from '../connection/tenantHold.ts';
import type { TenantStanding } from '../identity/standing.ts';
import type { EndpointId, TenantId } from '../kernel/id.ts';
import { ENDPOINT_PREFIX, endpointKey, tenantKey } from '../platform/keys.ts';
import { queryItems } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';

interface WebhookTable {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
}

/** An endpoint, and whether it holds its deliveries. What else is known of it is not needed here. */
export interface HoldableEndpoint {
  readonly tenantId: TenantId;
  readonly endpointId: EndpointId;
  readonly isHeld: boolean;
}

/** The endpoints of a tenant, read strongly. */
export async function* listHoldable(
  { table, stage }: WebhookTable,
  tenantId: TenantId,
): AsyncGenerator<HoldableEndpoint> {
  const items = queryItems(table, {
    TableName: tableName(stage, 'core'),
    KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
    ExpressionAttributeValues: { ':pk': tenantKey(tenantId).pk, ':prefix': ENDPOINT_PREFIX },
    ConsistentRead: true,
  });
  for await (const item of items) {
    yield { tenantId, endpointId: item['endpointId'] as EndpointId, isHeld: item['isHeld'] === true };
  }
}

/**
 * Has an endpoint hold its deliveries, or post them again. What comes to be delivered meanwhile is kept in rows, as for one that is disabled.
 * Condition: the endpoint exists, and the tenant still stands so; a run that was overtaken changes nothing.
 * @param state how the tenant stands: those of one that is active post
 */
export async function setHeld(
  { table, stage }: WebhookTable,
  { tenantId, endpointId }: HoldableEndpoint,
  state: TenantStanding['state'],
): Promise<'written' | 'overtaken'> {
  const TableName = tableName(stage, 'core');
  const write =
    state !== 'active'
      ? { UpdateExpression: 'SET isHeld = :held', ExpressionAttributeValues: { ':held': true } }
      : { UpdateExpression: 'REMOVE isHeld' };
  try {
    await table.send(
      new TransactWriteCommand({
        TransactItems: [
          {
            ConditionCheck: { TableName, Key: tenantKey(tenantId), ...whileTenantIs(state) },
          },
          {
            Update: {
              TableName,
              Key: endpointKey(tenantId, endpointId),
              ...write,
              ConditionExpression: 'attribute_exists(pk)',
            },
          },
        ],
      }),
    );
    return 'written';
  } catch (error) {
    if (wasOvertaken(error)) return 'overtaken';
    throw error;
  }
}
