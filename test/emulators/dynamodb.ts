import { startDynamoDb as start } from '../../infra/local/dynamoDb.ts';

export { createTables } from '../../infra/local/tables.ts';

/** The DynamoDB emulator, in memory, on a free port. */
export async function startDynamoDb(): Promise<{ readonly endpoint: string; readonly stop: () => Promise<void> }> {
  return start({ port: 0 });
}
