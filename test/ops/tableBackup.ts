import { DeleteTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { BatchWriteCommand, DynamoDBDocumentClient, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { credentialsOf } from '../../infra/local/callers.ts';
import { createTables } from '../../infra/local/tables.ts';
import { tableDefinitions, tableName, type TableDefinition } from '../../shared/platform/tables.ts';

/** The tables that AWS keeps a backup of; the third holds the processes that run now, which is not worth keeping. */
const KEPT = ['core', 'sessions'] as const satisfies readonly TableDefinition['name'][];
/** Most that one write takes. */
const BATCH = 25;

type Item = Record<string, unknown>;
export type TableBackup = ReadonlyMap<(typeof KEPT)[number], readonly Item[]>;

/** Does with the embedded tables what point-in-time recovery does with those on AWS. */
export class TableBackups {
  readonly #endpoint: string;
  readonly #stage: string;
  readonly #client: DynamoDBClient;
  readonly #table: DynamoDBDocumentClient;

  constructor(endpoint: string, stage: string) {
    this.#endpoint = endpoint;
    this.#stage = stage;
    this.#client = new DynamoDBClient({ endpoint, region: 'us-east-1', credentials: credentialsOf('stack') });
    this.#table = DynamoDBDocumentClient.from(this.#client);
  }

  /** Copies what the tables hold now. */
  async take(): Promise<TableBackup> {
    return new Map(await Promise.all(KEPT.map(async (name) => [name, await this.#read(name)] as const)));
  }

  /** Everything is gone. */
  async drop(): Promise<void> {
    for (const { name } of tableDefinitions) {
      await this.#client.send(new DeleteTableCommand({ TableName: tableName(this.#stage, name) }));
    }
  }

  /** Makes the tables anew, as they were. */
  async putBack(backup: TableBackup): Promise<void> {
    await createTables(this.#endpoint, this.#stage);
    for (const [name, items] of backup) {
      const requests = items.map((found) => ({ PutRequest: { Item: found } }));
      for (let start = 0; start < requests.length; start += BATCH) {
        const chunk = requests.slice(start, start + BATCH);
        await this.#table.send(new BatchWriteCommand({ RequestItems: { [tableName(this.#stage, name)]: chunk } }));
      }
    }
  }

  close(): void {
    this.#table.destroy();
    this.#client.destroy();
  }

  async #read(name: TableDefinition['name']): Promise<readonly Item[]> {
    const items: Item[] = [];
    let start: Item | undefined;
    do {
      const page = await this.#table.send(
        new ScanCommand({
          TableName: tableName(this.#stage, name),
          ConsistentRead: true,
          ...(start === undefined ? {} : { ExclusiveStartKey: start }),
        }),
      );
      items.push(...(page.Items ?? []));
      start = page.LastEvaluatedKey;
    } while (start !== undefined);
    return items;
  }
}
