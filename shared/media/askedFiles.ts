import { DeleteCommand, PutCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { ConnectionId, MediaId } from '../kernel/id.ts';
import { expiryOf, isExpired } from '../platform/expiry.ts';
import { askedFileKey, askedFilePrefix } from '../platform/keys.ts';
import { allOf, queryItems } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import type { Media } from './media.ts';

/** A file that the phone was asked for, and the time that it was asked for. */
export type AskedFile = Pick<Media, 'mediaId' | 'round'>;

interface AskedFilesParts {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
  readonly clock: { readonly nowMs: () => number };
}

/**
 * The notes by which the phone's answer finds its file: it names only the stanza of the message, and may come days later to another worker. A note
 * is written before the phone is asked.
 */
export class AskedFiles {
  readonly #given: AskedFilesParts;

  constructor(given: AskedFilesParts) {
    this.#given = given;
  }

  /** Notes that the phone is about to be asked. Twice is as good as once. */
  async note(connectionId: ConnectionId, stanzaId: string, { mediaId, round }: AskedFile): Promise<void> {
    const { table, stage, clock } = this.#given;
    const Item = {
      ...askedFileKey(connectionId, stanzaId, mediaId),
      mediaId,
      round,
      ttl: expiryOf('askedFile', clock.nowMs()),
    };
    await table.send(new PutCommand({ TableName: tableName(stage, 'core'), Item }));
  }

  /** Finds the files that the phone was asked for by this stanza; a message may have several. */
  async find(connectionId: ConnectionId, stanzaId: string): Promise<readonly AskedFile[]> {
    const { table, stage, clock } = this.#given;
    const { pk, sk } = askedFilePrefix(connectionId, stanzaId);
    const items = await allOf(
      queryItems(table, {
        TableName: tableName(stage, 'core'),
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
        ExpressionAttributeValues: { ':pk': pk, ':prefix': sk },
        ConsistentRead: true,
      }),
    );
    return items
      .filter((item) => !isExpired(item, clock.nowMs()))
      .map((item) => ({ mediaId: item['mediaId'] as MediaId, round: item['round'] as number }));
  }

  /** Forgets that the phone was asked. It is none of its business whether it was. */
  async forget(connectionId: ConnectionId, stanzaId: string, mediaId: MediaId): Promise<void> {
    const { table, stage } = this.#given;
    const Key = askedFileKey(connectionId, stanzaId, mediaId);
    await table.send(new DeleteCommand({ TableName: tableName(stage, 'core'), Key }));
  }
}
