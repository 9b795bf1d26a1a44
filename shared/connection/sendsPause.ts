import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { ConnectionId, TenantId } from '../kernel/id.ts';
import { connectionKey } from '../platform/keys.ts';
import { tableName } from '../platform/tables.ts';
import type { CoreTable } from './ownedItem.ts';

/** What a tenant is told while a connection sends nothing because WhatsApp did not answer its sends. */
export const sendsPaused = {
  code: 'sends_paused',
  sentence:
    'WhatsApp did not answer five sends in a row. Messages wait in their order and are tried again in a minute or when the connection opens anew.',
} as const;

/**
 * Shows or takes back that the sends of a connection are paused. Condition: no newer owner has stored a status.
 * @param untilMs undefined when they go on
 */
export async function recordSendsPause(
  { table, stage }: CoreTable,
  owned: { readonly tenantId: TenantId; readonly connectionId: ConnectionId; readonly token: number },
  untilMs: number | undefined,
): Promise<'recorded' | 'lost'> {
  try {
    await table.send(
      new UpdateCommand({
        TableName: tableName(stage, 'core'),
        Key: connectionKey(owned.tenantId, owned.connectionId),
        UpdateExpression: untilMs === undefined ? 'REMOVE sendsPausedUntilMs' : 'SET sendsPausedUntilMs = :until',
        ConditionExpression: 'attribute_exists(pk) AND (attribute_not_exists(statusToken) OR statusToken <= :token)',
        ExpressionAttributeValues: { ':token': owned.token, ...(untilMs === undefined ? {} : { ':until': untilMs }) },
      }),
    );
    return 'recorded';
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return 'lost';
    throw error;
  }
}
