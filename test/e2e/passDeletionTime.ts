import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { UpdateCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { scanItems } from '../../shared/platform/pages.ts';
import { tableName } from '../../shared/platform/tables.ts';

/** The attribute that says from when on a row has waited, or until when it waits, by the partition of the row. */
const times: Readonly<Record<string, string>> = { ERASURES: 'againAtMs', TENANT_WORK: 'sinceMs' };

/**
 * Lets the ten minutes pass after which rows of a deleted connection are looked at again, and the minute and a half in which a request ends that was let in before:
 * a run waits for neither.
 */
export async function passDeletionTime(table: DynamoDBDocumentClient, stage: string): Promise<void> {
  const TableName = tableName(stage, 'core');
  for await (const { pk, sk, ...row } of scanItems(table, { TableName })) {
    const name = times[String(pk)];
    const was = name === undefined ? undefined : row[name];
    if (name === undefined || typeof was !== 'number' || was === 1) continue;
    const update = new UpdateCommand({
      TableName,
      Key: { pk, sk },
      UpdateExpression: 'SET #at = :at',
      ConditionExpression: '#at = :was',
      ExpressionAttributeNames: { '#at': name },
      ExpressionAttributeValues: { ':at': 1, ':was': was },
    });
    await table.send(update).catch((error: unknown) => {
      // The function that has the row in hand was faster.
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    });
  }
}
