import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  GetCommand,
  PutCommand,
  TransactWriteCommand,
  UpdateCommand,
  type DynamoDBDocumentClient,
} from '@aws-sdk/lib-dynamodb';
import type { Random } from '../kernel/random.ts';
import { expiryOf, isExpired } from '../platform/expiry.ts';
import { holderKey, holderPrefix, keptBytesKey, objectKey } from '../platform/keys.ts';
import { queryItems } from '../platform/pages.ts';
import { isMade } from '../platform/isMade.ts';
import { tableName } from '../platform/tables.ts';
import type { ObjectName } from './fileKeeping.ts';
import { keptDayOf, shareOf } from './keptBytes.ts';

/** The row of an object: its generation, and what is counted of it. */
interface ObjectRow {
  readonly generation: number;
  /** Grows with each change. */
  readonly version: number;
  /** The day with which it is counted, and the bytes. */
  readonly day?: number | undefined;
  readonly bytes?: number | undefined;
}

/** What a file holds: a generation of an object, under a name of the holder. */
export interface Hold {
  readonly object: ObjectName;
  readonly generation: number;
  /** Unique within the object. A file that is fetched anew is another holder. */
  readonly holder: string;
}

interface ObjectHoldsParts {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
  readonly clock: { readonly nowMs: () => number; readonly sleep: (ms: number) => Promise<void> };
  readonly random: Pick<Random, 'unit'>;
}

/** How often a write is made whose row somebody else has changed meanwhile, and the longest pause before it, in milliseconds. */
const TRIES = 12;
const PAUSE_MS = 200;
/** How many holders are read at once: most objects have one, and the first that is there is enough. */
const HOLDERS_AT_ONCE = 10;

/**
 * The files that hold objects, and the bytes that are kept for a tenant. An object is removed when its last holder goes.
 *
 * - *Somebody brings the same file at the moment at which its last holder goes*: holders are written first, and then the row of the object, on
 *   the condition that its generation is still that one. Who lets go looks for other holders, and then ends the generation on the condition that the row is as it
 *   was before that look. So one of the two comes too late and begins anew: either the object stays, or the new one lies under another key.
 * - *It dies in between*: it is done again, and comes to the same. A holder that nothing names any more ends by itself, and keeps an object no longer than the
 *   bucket does.
 */
export class ObjectHolds {
  readonly #given: ObjectHoldsParts;
  readonly #TableName: string;

  constructor(given: ObjectHoldsParts) {
    this.#given = given;
    this.#TableName = tableName(given.stage, 'core');
  }

  /**
   * Holds an object until some time, whether it is there yet or not. Again it comes to the same.
   * @param untilMs when the file ends that holds it, in milliseconds since 1970
   */
  async hold(object: ObjectName, holder: string, untilMs: number): Promise<Hold> {
    const { table, clock } = this.#given;
    return this.#retried(async () => {
      const { generation = 0 } = (await this.#find(object)) ?? {};
      const hold = { object, generation, holder };
      const ends = Math.ceil(untilMs / 1_000);
      await table.send(new PutCommand({ TableName: this.#TableName, Item: { ...holderKey(hold), ttl: ends } }));
      const ttl = expiryOf('object', clock.nowMs());
      const isHeld = await isMade(
        table.send(
          new UpdateCommand({
            TableName: this.#TableName,
            Key: objectKey(object),
            UpdateExpression: 'SET generation = :generation, #ttl = :ttl ADD version :one',
            ConditionExpression: 'attribute_not_exists(pk) OR generation = :generation',
            ExpressionAttributeNames: { '#ttl': 'ttl' },
            ExpressionAttributeValues: { ':generation': generation, ':ttl': ttl, ':one': 1 },
          }),
        ),
      );
      if (isHeld) return hold;
      await this.#dropHolder(hold);
      return undefined;
    });
  }

  /** What a holder has, whose generation is not known: none that it holds can have ended. */
  async holdOf(object: ObjectName, holder: string): Promise<Hold> {
    const { generation = 0 } = (await this.#find(object)) ?? {};
    return { object, generation, holder };
  }

  /** Counts an object that is there, with the day on which it ends: once, also where it is stored again or in another size. */
  async count({ object, generation }: Hold, bytes: number, untilMs: number): Promise<void> {
    const day = keptDayOf(untilMs);
    await this.#retried(async () => {
      const row = await this.#find(object);
      if (row === undefined || row.generation !== generation || (row.day === day && row.bytes === bytes)) return true;
      return this.#change(object, row, { generation, counted: { day, bytes } });
    });
  }

  /** Lets an object go. Returns whether nothing holds it any more: then it is to be removed, and nobody will ever hold it again. */
  async release(hold: Hold): Promise<'last' | 'held'> {
    await this.#dropHolder(hold);
    return this.#retried(async () => {
      const row = await this.#find(hold.object);
      if (await this.#isHeld(hold)) return 'held';
      if (row === undefined || row.generation > hold.generation) return 'last';
      return (await this.#change(hold.object, row, { generation: row.generation + 1, counted: undefined }))
        ? 'last'
        : undefined;
    });
  }

  /** Forgets an object that was let go for good: its tenant is deleted, and nobody will hold it again. */
  async forget(object: ObjectName): Promise<void> {
    await this.#given.table.send(new DeleteCommand({ TableName: this.#TableName, Key: objectKey(object) }));
  }

  async #find(object: ObjectName): Promise<ObjectRow | undefined> {
    const Key = objectKey(object);
    const { Item } = await this.#given.table.send(
      new GetCommand({ TableName: this.#TableName, Key, ConsistentRead: true }),
    );
    return Item as ObjectRow | undefined;
  }

  async #isHeld({ object, generation }: Hold): Promise<boolean> {
    const { table, clock } = this.#given;
    const { pk, sk } = holderPrefix(object, generation);
    const holders = queryItems(
      table,
      {
        TableName: this.#TableName,
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
        ExpressionAttributeValues: { ':pk': pk, ':prefix': sk },
        ConsistentRead: true,
      },
      { pageSize: HOLDERS_AT_ONCE },
    );
    for await (const holder of holders) if (!isExpired(holder, clock.nowMs())) return true;
    return false;
  }

  async #dropHolder(hold: Hold): Promise<void> {
    await this.#given.table.send(new DeleteCommand({ TableName: this.#TableName, Key: holderKey(hold) }));
  }

  /**
   * Changes what is counted of an object, together with the sums. Condition: nobody has changed the row since it was read. Returns false where somebody
   * has.
   */
  async #change(
    object: ObjectName,
    row: ObjectRow,
    next: {
      readonly generation: number;
      readonly counted: { readonly day: number; readonly bytes: number } | undefined;
    },
  ): Promise<true | undefined> {
    const { table } = this.#given;
    const { counted } = next;
    const names = { '#generation': 'generation', '#version': 'version', '#day': 'day', '#bytes': 'bytes' };
    const sets = counted === undefined ? '' : ', #day = :day, #bytes = :bytes';
    try {
      await table.send(
        new TransactWriteCommand({
          TransactItems: [
            {
              Update: {
                TableName: this.#TableName,
                Key: objectKey(object),
                UpdateExpression: `SET #generation = :next${sets}${counted === undefined ? ' REMOVE #day, #bytes' : ''} ADD #version :one`,
                ConditionExpression: '#version = :version',
                ExpressionAttributeNames: names,
                ExpressionAttributeValues: {
                  ':next': next.generation,
                  ':version': row.version,
                  ':one': 1,
                  ...(counted === undefined ? {} : { ':day': counted.day, ':bytes': counted.bytes }),
                },
              },
            },
            ...this.#sums(object, row, counted),
          ],
        }),
      );
      return true;
    } catch (error) {
      if (isOvertaken(error)) return undefined;
      throw error;
    }
  }

  /** The writes by which the sums of a tenant follow an object from one day to another. */
  #sums(
    object: ObjectName,
    { day, bytes = 0 }: ObjectRow,
    counted: { readonly day: number; readonly bytes: number } | undefined,
  ) {
    const today = keptDayOf(this.#given.clock.nowMs());
    const changes = new Map<number, { bytes: number; files: number }>();
    const add = (on: number, moreBytes: number, files: number): void => {
      const sum = changes.get(on) ?? { bytes: 0, files: 0 };
      changes.set(on, { bytes: sum.bytes + moreBytes, files: sum.files + files });
    };
    // What has ended with its day is in no sum any more.
    if (day !== undefined && day >= today) add(day, -bytes, -1);
    if (counted !== undefined) add(counted.day, counted.bytes, 1);
    return [...changes].map(([on, sum]) => ({
      Update: {
        TableName: this.#TableName,
        Key: keptBytesKey(object.tenantId, on, shareOf(object.name)),
        UpdateExpression: 'SET #ttl = :ttl ADD #bytes :bytes, #files :files',
        ExpressionAttributeNames: { '#ttl': 'ttl', '#bytes': 'bytes', '#files': 'files' },
        ExpressionAttributeValues: {
          ':ttl': expiryOf('object', this.#given.clock.nowMs()),
          ':bytes': sum.bytes,
          ':files': sum.files,
        },
      },
    }));
  }

  /** Makes a change until nobody has been faster. Throws where others are each time. */
  async #retried<Outcome>(attempt: () => Promise<Outcome | undefined>): Promise<Outcome> {
    const { clock, random } = this.#given;
    for (let tries = 1; tries <= TRIES; tries += 1) {
      const outcome = await attempt();
      if (outcome !== undefined) return outcome;
      await clock.sleep(random.unit() * Math.min(PAUSE_MS, 10 * 2 ** tries));
    }
    throw new Error('the row of an object is changed by others each time');
  }
}

/** Whether a transaction was refused because somebody else has written, or is writing. */
function isOvertaken(error: unknown): boolean {
  if (!(error instanceof TransactionCanceledException)) return false;
  const codes = (error.CancellationReasons ?? []).map(({ Code = 'None' }) => Code);
  return codes.every((code) => ['None', 'ConditionalCheckFailed', 'TransactionConflict'].includes(code));
}
