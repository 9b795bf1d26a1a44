import { ConditionalCheckFailedException, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  PutCommand,
  TransactWriteCommand,
  UpdateCommand,
  type DynamoDBDocumentClient,
  type PutCommandInput,
} from '@aws-sdk/lib-dynamodb';
import { backoffMs } from '../../shared/kernel/backoff.ts';
import { withDeadline } from '../../shared/kernel/deadline.ts';
import { fencedBy, type Fence } from '../../shared/platform/fence.ts';
import { judgeFailure } from '../../shared/platform/judgeFailure.ts';
import { queryItems } from '../../shared/platform/pages.ts';
import { tableName } from '../../shared/platform/tables.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { CommitGate } from '../fleet/gate.ts';
import type { OwnedConnection } from '../fleet/ownedConnection.ts';
import { ItemWentBackError, OwnershipLostError, StaleItemError } from './sessionErrors.ts';

export interface SessionDependencies extends Pick<Surroundings, 'clock' | 'random' | 'metrics'> {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
  readonly gate: CommitGate;
  /** The deadline of one call to the store, in milliseconds; the gate's time left shortens it. */
  readonly storeTimeoutMs: number;
}

/** One stored item: sealed bytes with the version and epoch under which they were written. */
export interface StoredItem {
  readonly sk: string;
  readonly version: number;
  readonly epoch: number;
  readonly body: Uint8Array | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
}

const BACKOFF = { firstMs: 50, capMs: 1_000 };
/**
 * How long a call goes on trying, and waiting for the gate, before its socket is given up, in milliseconds: longer than
 * a short fault of the store, and about as long as WhatsApp keeps a socket that does not answer.
 */
const PATIENCE_MS = 40_000;
const BATCH_LIMIT = 100;
/** The greatest size of a body: DynamoDB holds items of 400 KB, with their attributes. */
const LARGEST_BODY_BYTES = 400_000;
/** The size of a write id: enough to tell the writes of one item apart, and few enough bytes for its write unit. */
const WRITE_ID_BYTES = 8;

/** A write of an item that must not go back. */
export interface HardWrite {
  readonly sk: string;
  /** The version that was read; 0 for an item that was not there. */
  readonly readVersion: number;
  readonly body: Uint8Array;
  readonly attributes?: Readonly<Record<string, unknown>>;
}

type WrittenItem = Record<string, unknown> & {
  readonly sk: string;
  readonly version: number;
  readonly epoch: number;
  readonly writeId: Uint8Array;
};

interface Put {
  readonly Item: WrittenItem;
  readonly condition: Pick<
    PutCommandInput,
    'ConditionExpression' | 'ExpressionAttributeNames' | 'ExpressionAttributeValues'
  >;
}

/** A put whose condition did not hold, with the item that is there. */
interface Refusal {
  readonly put: Put;
  readonly found: ConditionalCheckFailedException['Item'];
  readonly cause: unknown;
}

/** Items of one connection in the Sessions table, under the fencing token of its owner. */
export class SessionItems {
  readonly pk: string;
  readonly #connection: OwnedConnection;
  readonly #dependencies: SessionDependencies;
  readonly #TableName: string;
  #isClosed = false;

  constructor(connection: OwnedConnection, dependencies: SessionDependencies) {
    this.pk = `SESSION#${connection.tenantId}#${connection.connectionId}`;
    this.#connection = connection;
    this.#dependencies = dependencies;
    this.#TableName = tableName(dependencies.stage, 'sessions');
  }

  get epoch(): number {
    return this.#connection.token;
  }

  /**
   * Reads items, strongly consistent. Failures are retried to a deadline and then thrown: they are never taken for
   * absence.
   */
  async read(sortKeys: readonly string[]): Promise<ReadonlyMap<string, StoredItem>> {
    const found = new Map<string, StoredItem>();
    for (let start = 0; start < sortKeys.length; start += BATCH_LIMIT) {
      const wanted = sortKeys.slice(start, start + BATCH_LIMIT);
      for (const item of await this.#readBatch(wanted)) found.set(item.sk, item);
    }
    return found;
  }

  /**
   * Writes an item that must not go back. Condition: it is still at the version that was read (or still absent), and no
   * newer owner has written it. Throws {@link OwnershipLostError} when a newer owner was here, {@link StaleItemError} when an
   * older write of our own was, and {@link ItemWentBackError} when the store has something older than what was read. A try
   * that timed out and did apply is recognised by its write id.
   */
  async writeHard(
    sk: string,
    readVersion: number,
    body: Uint8Array,
    attributes: Readonly<Record<string, unknown>> = {},
  ): Promise<void> {
    await this.#put(this.#hardPut({ sk, readVersion, body, attributes }));
  }

  /**
   * Writes several items as {@link writeHard} does, all or none, in one call. It costs two write units for each, so it is for
   * what seldom happens and would be many calls: the pre-keys of a pairing.
   */
  async writeHardTogether(writes: readonly HardWrite[]): Promise<void> {
    const puts = writes.map((write) => this.#hardPut(write));
    const TransactItems = puts.map(({ Item, condition }) => ({
      Put: { TableName: this.#TableName, Item, ...condition, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const },
    }));
    await this.#tryUntilKnown(puts, async (abortSignal) => {
      try {
        await this.#dependencies.table.send(new TransactWriteCommand({ TransactItems }), { abortSignal });
        return [];
      } catch (error) {
        const reasons = error instanceof TransactionCanceledException ? (error.CancellationReasons ?? []) : [];
        const refusals = puts.flatMap((put, at) =>
          reasons[at]?.Code === 'ConditionalCheckFailed' ? [{ put, found: reasons[at].Item, cause: error }] : [],
        );
        // Without a refused condition it was another call's turn, or too much at a time.
        if (refusals.length === 0) throw error;
        return refusals;
      }
    });
  }

  /**
   * Writes an item that can be learned again. Condition: no newer owner has written it. An item that the table cannot
   * hold is left out: the stored one is older, and WhatsApp reports what has changed since.
   */
  async writeSoft(sk: string, body: Uint8Array, attributes: Readonly<Record<string, unknown>> = {}): Promise<void> {
    if (body.length > LARGEST_BODY_BYTES) {
      this.#dependencies.metrics.count('SessionItemsTooLarge', {});
      return;
    }
    const fence = this.#fence();
    await this.#put({
      Item: { pk: this.pk, sk, version: 0, epoch: this.epoch, writeId: this.#writeId(), body, ...attributes },
      condition: {
        ConditionExpression: fence.condition,
        ExpressionAttributeNames: fence.names,
        ExpressionAttributeValues: fence.values,
      },
    });
  }

  /** Makes all items expire whose sort key begins with a prefix. */
  async expire(prefix: string, ttl: number): Promise<void> {
    const items = queryItems(this.#dependencies.table, {
      TableName: this.#TableName,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': this.pk, ':prefix': prefix },
      ProjectionExpression: 'sk',
    });
    const fence = this.#fence();
    for await (const item of items) {
      this.#dependencies.gate.assertOpen();
      await this.#dependencies.table.send(
        new UpdateCommand({
          TableName: this.#TableName,
          Key: { pk: this.pk, sk: item['sk'] as string },
          UpdateExpression: 'SET #ttl = :ttl',
          ConditionExpression: `attribute_exists(pk) AND ${fence.condition}`,
          ExpressionAttributeNames: { '#ttl': 'ttl', ...fence.names },
          ExpressionAttributeValues: { ':ttl': ttl, ...fence.values },
        }),
      );
    }
  }

  /** Refuses all writes from here on, also the ones that are being tried again. */
  close(): void {
    this.#isClosed = true;
  }

  #fence(): Fence {
    return fencedBy('epoch', this.epoch);
  }

  /** A name for one write, over all its tries. */
  #writeId(): Uint8Array {
    return this.#dependencies.random.bytes(WRITE_ID_BYTES);
  }

  #hardPut({ sk, readVersion, body, attributes = {} }: HardWrite): Put {
    const fence = this.#fence();
    const condition =
      readVersion === 0
        ? { ConditionExpression: 'attribute_not_exists(pk)' }
        : {
            ConditionExpression: `#version = :read AND ${fence.condition}`,
            ExpressionAttributeNames: { '#version': 'version', ...fence.names },
            ExpressionAttributeValues: { ':read': readVersion, ...fence.values },
          };
    const version = readVersion + 1;
    const Item = { pk: this.pk, sk, version, epoch: this.epoch, writeId: this.#writeId(), body, ...attributes };
    return { Item, condition };
  }

  async #put(put: Put): Promise<void> {
    const { Item, condition } = put;
    const command = { TableName: this.#TableName, Item, ...condition };
    await this.#tryUntilKnown([put], async (abortSignal) => {
      try {
        const returns = { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } as const;
        await this.#dependencies.table.send(new PutCommand({ ...command, ...returns }), { abortSignal });
        return [];
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
        return [{ put, found: error.Item, cause: error }];
      }
    });
  }

  /** Tries a write until its outcome is known: by their conditions and write ids only one of many tries counts. */
  async #tryUntilKnown(
    puts: readonly Put[],
    write: (signal: AbortSignal) => Promise<readonly Refusal[]>,
  ): Promise<void> {
    const { gate, metrics } = this.#dependencies;
    await this.#persist('session write', async (signal) => {
      if (this.#isClosed) throw new OwnershipLostError(puts[0]?.Item.sk ?? '');
      for (const refusal of await write(signal)) {
        const error = judge(refusal);
        if (error instanceof OwnershipLostError) metrics.count('FencedCommits', {});
        if (error !== undefined) throw error;
      }
    });
    // The next step of the caller may be a receipt or a ciphertext. A gate that opens again proves that no other worker
    // has claimed meanwhile.
    await gate.whenOpen(PATIENCE_MS);
  }

  async #readBatch(sortKeys: readonly string[]): Promise<readonly StoredItem[]> {
    const { table } = this.#dependencies;
    const found: StoredItem[] = [];
    let wanted = sortKeys.map((sk) => ({ pk: this.pk, sk }));
    await this.#persist('session read', async (abortSignal) => {
      const answer = await table.send(
        new BatchGetCommand({ RequestItems: { [this.#TableName]: { Keys: wanted, ConsistentRead: true } } }),
        { abortSignal },
      );
      found.push(...(answer.Responses?.[this.#TableName] ?? []).map(toStoredItem));
      wanted = (answer.UnprocessedKeys?.[this.#TableName]?.Keys ?? []) as { pk: string; sk: string }[];
      if (wanted.length > 0) throw new Error('the session store is throttled');
    });
    return found;
  }

  /**
   * Makes a call again and again while the store does not answer, each time with the gate open and for no longer than
   * it is sure to stay so. Throws refusals, GateClosedError and permanent failures at once, and the last failure when
   * patience ends.
   */
  async #persist(what: string, call: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { gate, clock, random, storeTimeoutMs } = this.#dependencies;
    const untilMs = clock.monotonicMs() + PATIENCE_MS;
    for (let attempt = 0; ; attempt += 1) {
      const leftMs = untilMs - clock.monotonicMs();
      await gate.whenOpen(Math.max(1, leftMs));
      try {
        await withDeadline(what, Math.max(1, Math.min(storeTimeoutMs, gate.timeLeftMs())), call, clock);
        return;
      } catch (error) {
        if (isRefusal(error) || judgeFailure(error) === 'permanent' || clock.monotonicMs() >= untilMs) throw error;
      }
      await clock.sleep(backoffMs(BACKOFF, attempt, random.unit()));
    }
  }
}

/**
 * The reason why a write was refused, by the item that is there; undefined when that is the write itself: a try whose
 * answer was lost may have been taken.
 */
function judge({ put: { Item: written }, found, cause }: Refusal) {
  if (found === undefined) return new ItemWentBackError(written.sk, { cause });
  const writeId = found['writeId']?.B;
  if (writeId !== undefined && Buffer.from(writeId).equals(written.writeId)) return undefined;
  if (Number(found['epoch']?.N ?? Infinity) > written.epoch) return new OwnershipLostError(written.sk, { cause });
  return Number(found['version']?.N) < written.version - 1
    ? new ItemWentBackError(written.sk, { cause })
    : new StaleItemError(written.sk, { cause });
}

function isRefusal(error: unknown): boolean {
  return error instanceof OwnershipLostError || error instanceof StaleItemError || error instanceof ItemWentBackError;
}

function toStoredItem(item: Record<string, unknown>): StoredItem {
  const { sk, version, epoch, body, ...attributes } = item;
  return {
    sk: sk as string,
    version: version as number,
    epoch: epoch as number,
    body: body as Uint8Array | undefined,
    attributes,
  };
}
