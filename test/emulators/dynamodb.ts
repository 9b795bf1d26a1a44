import { startDynamoDb as start } from '../../infra/local/dynamoDb.ts';

export { createTables } from '../../infra/local/tables.ts';

/** A folder with Amazon's DynamoDB Local, which stands in for the emulator where `npm run judge` names one. */
const dynamoDbLocal = process.env['HOLDFAST_DYNAMODB_LOCAL'];
export const isDynamoDbLocal = dynamoDbLocal !== undefined;

/**
 * The DynamoDB emulator, in memory, on a free port. `npm run judge` names a folder with Amazon's DynamoDB Local, with which
 * the same tests run.
 */
export async function startDynamoDb(): Promise<{ readonly endpoint: string; readonly stop: () => Promise<void> }> {
  return start({ port: 0, local: dynamoDbLocal });
}
