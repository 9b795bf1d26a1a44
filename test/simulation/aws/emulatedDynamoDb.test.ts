import { afterAll, beforeAll, describe } from 'vitest';
import { makeDocumentClient } from '../../../shared/platform/aws.ts';
import { createTables, isDynamoDbLocal, startDynamoDb } from '../../emulators/dynamodb.ts';
import { aStoreConfig } from '../../emulators/storeConfig.ts';
import { testCases } from './contract.ts';
import { dynamoDbContract, dynamoDbDifferences, dynamoDbLocalDifferences } from './dynamoDbContract.ts';

describe('the emulator of DynamoDB', () => {
  let dynamoDb: Awaited<ReturnType<typeof startDynamoDb>>;
  let client: ReturnType<typeof makeDocumentClient>;
  beforeAll(async () => {
    dynamoDb = await startDynamoDb();
    await createTables(dynamoDb.endpoint, 'contract');
    client = makeDocumentClient(aStoreConfig({ dynamoDb }));
  });
  afterAll(async () => {
    client.destroy();
    await dynamoDb.stop();
  });

  testCases(dynamoDbContract, () => client, isDynamoDbLocal ? dynamoDbLocalDifferences : dynamoDbDifferences);
});
