import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, GetCommand, PutCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { TenantId } from '../kernel/id.ts';
import { expiryOf, isExpired } from '../platform/expiry.ts';
import { asOfUpload, uploadKey } from '../platform/keys.ts';
import { queryItems } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import type { SentUse } from './sentUse.ts';
import type { Upload, UploadName, UploadState } from './upload.ts';

/** The rows of files as they lie at WhatsApp: one for each file of a tenant and what it is sent as. */
export class UploadStore {
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

  /** Finds one, strongly consistent. */
  async find(name: UploadName): Promise<Upload | undefined> {
    const Key = uploadKey(name);
    const { Item } = await this.#table.send(new GetCommand({ TableName: this.#TableName, Key, ConsistentRead: true }));
    if (Item === undefined || isExpired(Item, this.#nowMs())) return undefined;
    const { pk: _pk, sk: _sk, ttl: _ttl, ...row } = Item;
    return row as unknown as Upload;
  }

  /** Lists what a file of a tenant was uploaded as. @param file its SHA-256 in base64, or its id, as {@link UploadName} has it */
  async list(
    tenantId: TenantId,
    file: string,
  ): Promise<readonly { readonly name: UploadName; readonly row: Upload }[]> {
    const found: { readonly name: UploadName; readonly row: Upload }[] = [];
    const items = queryItems(this.#table, {
      TableName: this.#TableName,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': uploadKey({ tenantId, file, as: 'image', convert: true, plain: false }).pk },
      ConsistentRead: true,
    });
    for await (const { pk: _pk, sk, ttl: _ttl, ...row } of items) {
      const { as, ...how } = asOfUpload(String(sk));
      found.push({ name: { tenantId, file, as: as as SentUse, ...how }, row: row as unknown as Upload });
    }
    return found;
  }

  /** Removes one. Whoever is at work on it finds that out with its next write. */
  async remove(name: UploadName): Promise<void> {
    await this.#table.send(new DeleteCommand({ TableName: this.#TableName, Key: uploadKey(name) }));
  }

  /**
   * Writes what has become of one, in place of what was read. Condition: nobody has written since (`version`); undefined where
   * there was no row, or one that has expired. Returns the row as it is now, or `overtaken`.
   */
  async write(
    name: UploadName,
    before: Pick<Upload, 'version' | 'round'> | undefined,
    state: UploadState,
    round: number = before?.round ?? 0,
  ): Promise<Upload | 'overtaken'> {
    const row: Upload = { ...state, version: (before?.version ?? 0) + 1, round };
    const nowMs = this.#nowMs();
    const isNew = 'attribute_not_exists(pk) OR #ttl <= :now';
    try {
      await this.#table.send(
        new PutCommand({
          TableName: this.#TableName,
          Item: { ...uploadKey(name), ...row, ttl: expiryOf('upload', nowMs) },
          ...(before === undefined
            ? {
                ConditionExpression: isNew,
                ExpressionAttributeNames: { '#ttl': 'ttl' },
                ExpressionAttributeValues: { ':now': Math.floor(nowMs / 1_000) },
              }
            : {
                ConditionExpression: '#version = :version',
                ExpressionAttributeNames: { '#version': 'version' },
                ExpressionAttributeValues: { ':version': before.version },
              }),
        }),
      );
      return row;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return 'overtaken';
      throw error;
    }
  }
}
