import {
  CreateTableCommand,
  DynamoDBClient,
  ResourceInUseException,
  UpdateTimeToLiveCommand,
  type AttributeDefinition,
} from '@aws-sdk/client-dynamodb';
import { tableDefinitions, tableName, type TableDefinition } from '../../shared/platform/tables.ts';
import { credentialsOf } from './callers.ts';

/** Makes the tables that are missing, with their indexes, and switches expiry on. */
export async function createTables(endpoint: string, stage: string): Promise<void> {
  const client = new DynamoDBClient({ endpoint, region: 'us-east-1', credentials: credentialsOf('stack') });
  try {
    for (const definition of tableDefinitions) await createTable(client, stage, definition);
  } finally {
    client.destroy();
  }
}

async function createTable(client: DynamoDBClient, stage: string, definition: TableDefinition): Promise<void> {
  const TableName = tableName(stage, definition.name);
  const keys = ['pk', 'sk', ...definition.indexes.flatMap((index) => [index.partitionKey, index.sortKey])];
  const attributes: AttributeDefinition[] = [...new Set(keys)].map((name) => ({
    AttributeName: name,
    AttributeType: 'S',
  }));
  try {
    await client.send(
      new CreateTableCommand({
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: attributes,
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
        ...(definition.indexes.length === 0
          ? {}
          : {
              GlobalSecondaryIndexes: definition.indexes.map((index) => ({
                IndexName: index.name,
                KeySchema: [
                  { AttributeName: index.partitionKey, KeyType: 'HASH' },
                  { AttributeName: index.sortKey, KeyType: 'RANGE' },
                ],
                Projection: { ProjectionType: 'ALL' },
              })),
            }),
      }),
    );
    await client.send(
      new UpdateTimeToLiveCommand({
        TableName,
        TimeToLiveSpecification: { AttributeName: definition.ttlAttribute, Enabled: true },
      }),
    );
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error;
  }
}
