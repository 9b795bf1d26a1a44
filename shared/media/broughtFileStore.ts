import { GetCommand, PutCommand, UpdateCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { MediaId } from '../kernel/id.ts';
import { expiryOf, isExpired } from '../platform/expiry.ts';
import { mediaKey } from '../platform/keys.ts';
import { isMade } from '../platform/isMade.ts';
import { tableName } from '../platform/tables.ts';
import type { BroughtFile } from './broughtFile.ts';
import { asKept } from './fileKeeping.ts';
import type { MediaFault } from './mediaFaults.ts';
import { noteTenantFile } from './fileNotes.ts';

/** What has become of a file that was brought. */
export type BroughtEnd =
  | {
      readonly state: 'ready';
      readonly bytes: number;
      /** Where it lies now, if that is another place than before. */
      readonly objectKey?: string;
      readonly sha256?: string;
      readonly mimeType?: string;
      readonly filename?: string;
    }
  | { readonly state: 'failed'; readonly fault: MediaFault };

/** The rows of files that tenants bring, which stand beside those of files that come. The caller checks whose it is. */
export class BroughtFileStore {
  readonly #table: DynamoDBDocumentClient;
  readonly #stage: string;
  readonly #TableName: string;
  readonly #nowMs: () => number;

  constructor(given: {
    readonly table: DynamoDBDocumentClient;
    readonly stage: string;
    readonly clock: { readonly nowMs: () => number };
  }) {
    this.#table = given.table;
    this.#stage = given.stage;
    this.#TableName = tableName(given.stage, 'core');
    this.#nowMs = given.clock.nowMs;
  }

  /** Writes the row of a file, and before it the note by which it is found when its tenant is deleted. Condition: there is none. Returns whether it is new. */
  async create(file: BroughtFile): Promise<boolean> {
    await noteTenantFile({ table: this.#table, stage: this.#stage }, file, this.#nowMs());
    const Item = { ...mediaKey(file.mediaId), ...file, ttl: expiryOf('message', this.#nowMs()) };
    return isMade(
      this.#table.send(
        new PutCommand({ TableName: this.#TableName, Item, ConditionExpression: 'attribute_not_exists(pk)' }),
      ),
    );
  }

  /** Finds one, strongly consistent; undefined also where the id is that of a file that came with a message. */
  async find(mediaId: MediaId): Promise<BroughtFile | undefined> {
    const Key = mediaKey(mediaId);
    const { Item } = await this.#table.send(new GetCommand({ TableName: this.#TableName, Key, ConsistentRead: true }));
    return Item === undefined || isExpired(Item, this.#nowMs()) ? undefined : toBroughtFile(Item, this.#nowMs());
  }

  /**
   * Notes that a link is asked for now, anew where it has failed, and where it leads now. Condition: it is in this state, and nobody asked since
   * a time. Returns whether it is this caller's to ask.
   */
  async noteAsked(
    { mediaId, state, link, path }: Pick<BroughtFile, 'mediaId' | 'state' | 'link' | 'path'>,
    sinceMs: number,
  ): Promise<boolean> {
    const place = Object.entries({ link, path }).filter(([, value]) => value !== undefined);
    return isMade(
      this.#table.send(
        new UpdateCommand({
          TableName: this.#TableName,
          Key: mediaKey(mediaId),
          UpdateExpression: `SET askedAtMs = :now, #state = :pending${place.map(([name]) => `, #${name} = :${name}`).join('')} REMOVE fault`,
          ConditionExpression: '#state = :state AND attribute_exists(broughtBy) AND askedAtMs < :since',
          ExpressionAttributeNames: {
            '#state': 'state',
            ...Object.fromEntries(place.map(([name]) => [`#${name}`, name])),
          },
          ExpressionAttributeValues: {
            ':now': this.#nowMs(),
            ':since': sinceMs,
            ':state': state,
            ':pending': 'pending',
            ...Object.fromEntries(place.map(([name, value]) => [`:${name}`, value])),
          },
        }),
      ),
    );
  }

  /** Erases a file: it is gone from now on. Condition: there is one. Its row still says where its object is, which the caller has removed. */
  async erase(mediaId: MediaId): Promise<boolean> {
    return isMade(
      this.#table.send(
        new UpdateCommand({
          TableName: this.#TableName,
          Key: mediaKey(mediaId),
          UpdateExpression: 'SET #state = :gone, endedAtMs = :now REMOVE fault, link',
          ConditionExpression: 'attribute_exists(broughtBy)',
          ExpressionAttributeNames: { '#state': 'state' },
          ExpressionAttributeValues: { ':gone': 'gone', ':now': this.#nowMs() },
        }),
      ),
    );
  }

  /** Writes down what has become of a file. Condition: that is still open. Returns whether it is so now. */
  async end({ mediaId, state }: Pick<BroughtFile, 'mediaId' | 'state'>, end: BroughtEnd): Promise<boolean> {
    const set = Object.entries({ ...end, endedAtMs: this.#nowMs() }).filter(([, value]) => value !== undefined);
    return isMade(
      this.#table.send(
        new UpdateCommand({
          TableName: this.#TableName,
          Key: mediaKey(mediaId),
          UpdateExpression: `SET ${set.map((_entry, place) => `#${place} = :${place}`).join(', ')}`,
          ConditionExpression: '#was = :was AND attribute_exists(broughtBy)',
          ExpressionAttributeNames: {
            '#was': 'state',
            ...Object.fromEntries(set.map(([name], place) => [`#${place}`, name])),
          },
          ExpressionAttributeValues: {
            ':was': state,
            ...Object.fromEntries(set.map(([, value], place) => [`:${place}`, value])),
          },
        }),
      ),
    );
  }
}

/** A row as a file that was brought, as it is at a time; undefined when it came with a message. */
export function toBroughtFile(item: Record<string, unknown>, nowMs: number): BroughtFile | undefined {
  if (item['broughtBy'] === undefined) return undefined;
  const { pk: _pk, sk: _sk, ttl: _ttl, ...file } = item;
  return asKept(file as unknown as BroughtFile, nowMs);
}
