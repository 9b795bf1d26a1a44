import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, GetCommand, PutCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { ExportId, TenantId } from '../kernel/id.ts';
import type { TransactionWrite } from '../message/messageWrites.ts';
import { archivePartition, exportFileKey, exportFilePrefix } from '../platform/archiveKeys.ts';
import { expiryOf } from '../platform/expiry.ts';
import { firstOf, queryItems, type Item } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import type { LineCounts } from './archiveJob.ts';

/** An export, as its files are found by it. */
export interface ExportName {
  readonly tenantId: TenantId;
  readonly jobId: ExportId;
}

/** A part of an export that is whole: some lines, packed by gzip. */
export interface ExportPart {
  readonly name: string;
  /** 1 is the first. */
  readonly number: number;
  readonly lines: number;
  readonly counts: LineCounts;
  /** The size of the object, packed. */
  readonly bytes: number;
  /** The hash of these bytes, in hex. */
  readonly sha256: string;
}

/** A name that an object of an export has or is to have. It is a part of the export only with a number, or as the copy of a file. */
export type ExportFile = ExportPart | { readonly name: string };

export const MANIFEST = 'manifest.json';
const NAME = /^(?:manifest\.json|part-\d{6}-[\da-f]{12}\.jsonl\.gz|med_[0-9A-Z]{26})$/;
/** Whether a text is a name that a file of an export can have. */
export function isExportFileName(text: string): boolean {
  return NAME.test(text);
}

export function exportObjectKey({ tenantId, jobId }: ExportName, name: string): string {
  return `${tenantId}/exports/${jobId}/${name}`;
}

/**
 * The names of the objects of exports. A name is noted before its object is written, so that whatever dies in between leaves nothing that the removal of
 * the export does not find.
 */
export class ExportFiles {
  readonly #table: DynamoDBDocumentClient;
  readonly #TableName: string;
  readonly #nowMs: () => number;

  constructor(given: {
    readonly table: DynamoDBDocumentClient;
    readonly stage: string;
    readonly clock: { readonly nowMs: () => number };
  }) {
    this.#table = given.table;
    this.#TableName = tableName(given.stage, 'core');
    this.#nowMs = given.clock.nowMs;
  }

  /** Notes a name. Condition: it is not there; the same name stands for the same bytes, and may be that of a part already. */
  async note(of: ExportName, name: string): Promise<void> {
    const Put = { Item: this.#toItem(of, { name }), ConditionExpression: 'attribute_not_exists(pk)' };
    try {
      await this.#table.send(new PutCommand({ TableName: this.#TableName, ...Put }));
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  }

  /** The write by which a part belongs to its export. */
  writeOf(of: ExportName, part: ExportPart): TransactionWrite {
    return { Put: { TableName: this.#TableName, Item: this.#toItem(of, part) } };
  }

  async find({ tenantId, jobId }: ExportName, name: string): Promise<ExportFile | undefined> {
    const Key = exportFileKey(tenantId, jobId, name);
    const { Item } = await this.#table.send(new GetCommand({ TableName: this.#TableName, Key, ConsistentRead: true }));
    return Item as ExportFile | undefined;
  }

  /** The parts of an export, in their order. */
  async listParts(of: ExportName): Promise<readonly ExportPart[]> {
    const files = await Array.fromAsync(this.#list(of));
    return files
      .filter((file) => 'number' in file)
      .toSorted((one, other) => one.number - other.number)
      .map(({ name, number, lines, counts, bytes, sha256 }) => ({ name, number, lines, counts, bytes, sha256 }));
  }

  /** Some names that objects may have, whether they belong to the export or not. */
  async listSome(of: ExportName, most: number): Promise<readonly ExportFile[]> {
    return firstOf(this.#list(of), most);
  }

  async remove({ tenantId, jobId }: ExportName, name: string): Promise<void> {
    const Key = { ...exportFileKey(tenantId, jobId, name) };
    await this.#table.send(new DeleteCommand({ TableName: this.#TableName, Key }));
  }

  #list({ tenantId, jobId }: ExportName): AsyncGenerator<ExportFile> {
    return queryItems(this.#table, {
      TableName: this.#TableName,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': archivePartition(tenantId), ':prefix': exportFilePrefix(jobId) },
      ConsistentRead: true,
    }) as unknown as AsyncGenerator<ExportFile>;
  }

  #toItem({ tenantId, jobId }: ExportName, file: ExportFile): Item {
    return { ...exportFileKey(tenantId, jobId, file.name), ...file, ttl: expiryOf('archiveJob', this.#nowMs()) };
  }
}
