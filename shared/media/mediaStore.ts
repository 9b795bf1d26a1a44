import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  DeleteCommand,
  GetCommand,
  UpdateCommand,
  type DynamoDBDocumentClient,
} from '@aws-sdk/lib-dynamodb';
import type { MediaId } from '../kernel/id.ts';
import { expiryOf, isExpired } from '../platform/expiry.ts';
import { mediaKey, thumbnailKey } from '../platform/keys.ts';
import { tableName } from '../platform/tables.ts';
import type { BroughtFile } from './broughtFile.ts';
import { toBroughtFile } from './broughtFileStore.ts';
import { asKept } from './fileKeeping.ts';
import type { Media, MediaState, Thumbnail } from './media.ts';
import type { MediaFault } from './mediaFaults.ts';
import type { PhoneAnswer } from './phoneAsk.ts';

/** What has become of a file. */
export type MediaEnd =
  | ({ readonly state: 'ready'; readonly bytes: number; readonly sha256: string } & Pick<
      Media,
      'objectKey' | 'generation' | 'keptUntilMs'
    >)
  | { readonly state: 'failed'; readonly fault: MediaFault };

/** What a row says of its object. */
const KEPT = ['objectKey', 'generation', 'keptUntilMs'] as const;

/** The most rows of one `BatchGet`. */
const BATCH = 100;

/** The row of a file, as it is written with its message. */
export function toMediaItem(media: Media, nowMs: number): Readonly<Record<string, unknown>> {
  return { ...mediaKey(media.mediaId), ...media, ttl: expiryOf('message', nowMs) };
}

/** The row of the small picture of a file, as it is written with its message. */
export function toThumbnailItem({ mediaId, thumbnail }: Thumbnail, nowMs: number): Readonly<Record<string, unknown>> {
  return { ...thumbnailKey(mediaId), thumbnail, ttl: expiryOf('message', nowMs) };
}

/** The rows of files, each change with its condition. The caller checks whose it is. */
export class MediaStore {
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

  /** Finds one that came with a message, strongly consistent. */
  async find(mediaId: MediaId): Promise<Media | undefined> {
    const found = await this.findAny(mediaId);
    return found === undefined || 'broughtBy' in found ? undefined : found;
  }

  /** Finds one, whether it came with a message or a tenant brought it. Strongly consistent. */
  async findAny(mediaId: MediaId): Promise<Media | BroughtFile | undefined> {
    const Key = mediaKey(mediaId);
    const { Item } = await this.#table.send(new GetCommand({ TableName: this.#TableName, Key, ConsistentRead: true }));
    return Item === undefined || isExpired(Item, this.#nowMs()) ? undefined : toAny(Item, this.#nowMs());
  }

  /** Finds some, whether they came or were brought, in no order. Eventually consistent: a state may be a moment old. */
  async findAll(mediaIds: readonly MediaId[]): Promise<readonly (Media | BroughtFile)[]> {
    const found: (Media | BroughtFile)[] = [];
    for (let from = 0; from < mediaIds.length; from += BATCH) {
      const Keys = mediaIds.slice(from, from + BATCH).map((id) => ({ ...mediaKey(id) }));
      // What DynamoDB does not read at once, in a moment of much traffic, is shown as it was when it came.
      const { Responses } = await this.#table.send(
        new BatchGetCommand({ RequestItems: { [this.#TableName]: { Keys } } }),
      );
      const items = Responses?.[this.#TableName] ?? [];
      found.push(...items.filter((item) => !isExpired(item, this.#nowMs())).map((item) => toAny(item, this.#nowMs())));
    }
    return found;
  }

  /** Finds the small picture of a file: a JPEG. The caller has read the file. */
  async findThumbnail(mediaId: MediaId): Promise<Uint8Array | undefined> {
    const Key = thumbnailKey(mediaId);
    const { Item } = await this.#table.send(new GetCommand({ TableName: this.#TableName, Key }));
    if (Item === undefined || isExpired(Item, this.#nowMs())) return undefined;
    return Buffer.from(String(Item['thumbnail']), 'base64');
  }

  /** Writes down what has become of a file. Condition: it is pending, in this round. Returns whether it is so now. */
  async end({ mediaId, round }: Pick<Media, 'mediaId' | 'round'>, end: MediaEnd): Promise<boolean> {
    const set = { endedAtMs: this.#nowMs(), ...end };
    return this.#change(mediaId, set, { state: 'pending', round });
  }

  /** Has a file fetched anew. Condition: it is `left`, `failed` or `gone`, in this round. */
  async ask({ mediaId, state, round }: Pick<Media, 'mediaId' | 'state' | 'round'>): Promise<boolean> {
    const set = { state: 'pending', round: round + 1 };
    // One whose time is over is gone, whatever its row says.
    const was = state === 'gone' ? { round } : { state, round };
    return this.#change(mediaId, set, was, ['fault', 'asked', 'answer', ...KEPT, 'eraseAskedAtMs']);
  }

  /**
   * Erases a file with its small picture: from now on it is gone, also where it is being fetched. Condition: it is in this round. The row still says where
   * its object is, which the caller has removed.
   */
  async erase({ mediaId, round }: Pick<Media, 'mediaId' | 'round'>): Promise<boolean> {
    const set = { state: 'gone', endedAtMs: this.#nowMs() };
    const isGone = await this.#change(mediaId, set, { round }, ['fault', 'hasThumbnail']);
    // Where it dies here, nothing leads to the picture any more, and it ends with its time.
    if (isGone) await this.#table.send(new DeleteCommand({ TableName: this.#TableName, Key: thumbnailKey(mediaId) }));
    return isGone;
  }

  /** Removes the rows of a file whose tenant is deleted. Whoever is at work on it finds that out with its next write. */
  async remove(mediaId: MediaId): Promise<void> {
    for (const Key of [thumbnailKey(mediaId), mediaKey(mediaId)]) {
      await this.#table.send(new DeleteCommand({ TableName: this.#TableName, Key }));
    }
  }

  /** Notes that the phone is asked for a file now. Condition: it is pending, in this round, and nobody has asked meanwhile. */
  async noteAsked({ mediaId, round, asked }: Pick<Media, 'mediaId' | 'round' | 'asked'>): Promise<boolean> {
    const set = { asked: { times: (asked?.times ?? 0) + 1, atMs: this.#nowMs() } };
    return this.#change(mediaId, set, { state: 'pending', round, 'asked.times': asked?.times }, ['answer']);
  }

  /**
   * Notes what the phone answered, and where the file lies now. Condition: it is pending, in this round.
   * @param path left out where it did not give the file
   */
  async noteAnswer(
    { mediaId, round }: Pick<Media, 'mediaId' | 'round'>,
    answer: PhoneAnswer,
    path?: string,
  ): Promise<boolean> {
    const set = { answer, ...(path === undefined ? {} : { 'file.path': path }) };
    return this.#change(mediaId, set, { state: 'pending', round });
  }

  /** Changes some attributes, each named by its path. @param was what they must be; undefined for one that must not be there */
  async #change(
    mediaId: MediaId,
    set: Readonly<Record<string, unknown>>,
    was: Readonly<Record<string, unknown>> & { readonly state?: MediaState; readonly round: number },
    remove: readonly string[] = [],
  ): Promise<boolean> {
    const update = new UpdateWriting();
    const sets = Object.entries(set).map(([path, value]) => `${update.name(path)} = ${update.value(value)}`);
    const removes = remove.map((path) => update.name(path));
    const conditions = Object.entries(was).map(([path, value]) =>
      value === undefined
        ? `attribute_not_exists(${update.name(path)})`
        : `${update.name(path)} = ${update.value(value)}`,
    );
    try {
      await this.#table.send(
        new UpdateCommand({
          TableName: this.#TableName,
          Key: mediaKey(mediaId),
          UpdateExpression: `SET ${sets.join(', ')}${removes.length === 0 ? '' : ` REMOVE ${removes.join(', ')}`}`,
          ConditionExpression: conditions.join(' AND '),
          ExpressionAttributeNames: update.names,
          ExpressionAttributeValues: update.values,
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }
}

/** The placeholders of one update. */
class UpdateWriting {
  readonly names: Record<string, string> = {};
  readonly values: Record<string, unknown> = {};

  name(path: string): string {
    for (const part of path.split('.')) this.names[`#${part}`] = part;
    return path
      .split('.')
      .map((part) => `#${part}`)
      .join('.');
  }

  value(value: unknown): string {
    const placeholder = `:${Object.keys(this.values).length}`;
    this.values[placeholder] = value;
    return placeholder;
  }
}

function toAny(item: Record<string, unknown>, nowMs: number): Media | BroughtFile {
  return toBroughtFile(item, nowMs) ?? asKept(toMedia(item), nowMs);
}

function toMedia(item: Record<string, unknown>): Media {
  const { pk: _pk, sk: _sk, ttl: _ttl, ...media } = item;
  return media as unknown as Media;
}
