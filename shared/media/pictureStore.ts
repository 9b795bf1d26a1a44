import { DeleteCommand, GetCommand, PutCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { MediaId } from '../kernel/id.ts';
import { expiryOf, isExpired } from '../platform/expiry.ts';
import { pictureKey } from '../platform/keys.ts';
import { tableName } from '../platform/tables.ts';
import { pictureUses, type PictureUse } from './pictureBytes.ts';
import type { PrepareFault } from './prepareFaults.ts';

/** A file made a picture that can be set, or the reason why it never can be. */
export type PreparedPicture =
  { readonly state: 'ready'; readonly jpeg: Uint8Array } | { readonly state: 'failed'; readonly fault: PrepareFault };

interface PictureStoreParts {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
  readonly clock: { readonly nowMs: () => number };
}

/**
 * The pictures that files were made, beside their rows: the worker that sets one reads it here, and never opens the bucket. A picture is the same however
 * often it is made, so that a write needs no condition.
 */
export class PictureStore {
  readonly #given: PictureStoreParts;

  constructor(given: PictureStoreParts) {
    this.#given = given;
  }

  /** Finds what a file was made, strongly consistent; undefined where nobody has made anything of it. The caller has read the file. */
  async find(mediaId: MediaId, as: PictureUse): Promise<PreparedPicture | undefined> {
    const { table, clock } = this.#given;
    const { Item } = await table.send(
      new GetCommand({ TableName: this.#tableName(), Key: pictureKey(mediaId, as), ConsistentRead: true }),
    );
    if (Item === undefined || isExpired(Item, clock.nowMs())) return undefined;
    const { state, jpeg, fault } = Item as { state: string; jpeg: Uint8Array; fault: PrepareFault };
    return state === 'ready' ? { state, jpeg } : { state: 'failed', fault };
  }

  /** Writes down what a file was made. Twice is as good as once. */
  async write(mediaId: MediaId, as: PictureUse, picture: PreparedPicture): Promise<void> {
    const { table, clock } = this.#given;
    const Item = { ...pictureKey(mediaId, as), ...picture, ttl: expiryOf('picture', clock.nowMs()) };
    await table.send(new PutCommand({ TableName: this.#tableName(), Item }));
  }

  /** Removes what a file was made, for whatever use. It is none of its business whether there was something. */
  async remove(mediaId: MediaId): Promise<void> {
    const { table } = this.#given;
    const TableName = this.#tableName();
    await Promise.all(
      pictureUses.map((as) => table.send(new DeleteCommand({ TableName, Key: pictureKey(mediaId, as) }))),
    );
  }

  #tableName(): string {
    return tableName(this.#given.stage, 'core');
  }
}
