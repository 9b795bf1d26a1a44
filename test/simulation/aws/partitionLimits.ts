import { ProvisionedThroughputExceededException } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  DeleteCommand,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
  type BatchGetCommandOutput,
  type QueryCommandOutput,
} from '@aws-sdk/lib-dynamodb';
import type { Item } from './attributeValues.ts';
import { FakeDynamoDb } from './fakeDynamoDb.ts';

/** What DynamoDB takes of one partition key in any second. */
export const WRITE_UNITS_PER_SECOND = 1_000;
export const READ_UNITS_PER_SECOND = 3_000;

const WRITE_UNIT_BYTES = 1_024;
const READ_UNIT_BYTES = 4_096;
const SLICE_MS = 100;
const SLICES = 10;

/** The most that one partition key was asked for in any second. */
export interface Peak {
  readonly key: string;
  readonly units: number;
}

/**
 * The fake of DynamoDB with the limits of a partition: 1,000 write units and 3,000 read units a second of one partition
 * key, in every second and not only on average, without the burst that AWS sometimes grants. What would be more is
 * throttled as AWS does: it has no effect, and throws; of a batch, what is left over comes back as not processed. It
 * knows the commands of the event log, and no transactions.
 */
export class LimitedDynamoDb {
  readonly store = new FakeDynamoDb();
  readonly #writes = new Loads();
  readonly #reads = new Loads();
  #throttled = 0;

  /** Applies a command at a time in milliseconds. */
  apply(command: unknown, nowMs: number): unknown {
    if (command instanceof BatchGetCommand) return this.#batchGet(command, nowMs);
    if (command instanceof GetCommand) return this.#read(command, keyOf(command.input.Key), nowMs);
    if (command instanceof QueryCommand) {
      return this.#read(command, String(command.input.ExpressionAttributeValues?.[':pk']), nowMs);
    }
    if (command instanceof PutCommand) {
      return this.#write(command, keyOf(command.input.Item), writeUnits(command.input.Item), nowMs);
    }
    if (command instanceof UpdateCommand || command instanceof DeleteCommand) {
      // The items that are updated here are smaller than a unit.
      return this.#write(command, keyOf(command.input.Key), 1, nowMs);
    }
    throw new Error(`the limits of ${(command as object).constructor.name} are not known`);
  }

  /** The number of calls that were throttled. */
  get throttled(): number {
    return this.#throttled;
  }

  get peaks(): { readonly writes: Peak; readonly reads: Peak } {
    return { writes: this.#writes.peak, reads: this.#reads.peak };
  }

  #write(command: unknown, key: string, units: number, nowMs: number): unknown {
    if (this.#writes.of(key, nowMs) + units > WRITE_UNITS_PER_SECOND) throw this.#refusal();
    // A write whose condition fails costs the same.
    this.#writes.add(key, units, nowMs);
    return this.store.apply(command);
  }

  /** What a read costs is known when it is done, so the last one may pass the limit. */
  #read(command: unknown, key: string, nowMs: number): unknown {
    if (this.#reads.of(key, nowMs) >= READ_UNITS_PER_SECOND) throw this.#refusal();
    const answer = this.store.apply(command) as Pick<QueryCommandOutput, 'Items'> & { readonly Item?: Item };
    const bytes = [...(answer.Items ?? []), answer.Item ?? {}].reduce((sum: number, item) => sum + itemBytes(item), 0);
    this.#reads.add(key, Math.max(1, Math.ceil(bytes / READ_UNIT_BYTES)), nowMs);
    return answer;
  }

  #batchGet(command: BatchGetCommand, nowMs: number): unknown {
    const [[tableName, request] = []] = Object.entries(command.input.RequestItems ?? {});
    if (tableName === undefined || request === undefined) throw new Error('the batch names no table');
    const keys = request.Keys ?? [];
    const taken = keys.filter((key) => this.#reads.of(keyOf(key), nowMs) < READ_UNITS_PER_SECOND);
    if (taken.length === 0) throw this.#refusal();
    if (taken.length < keys.length) this.#throttled += 1;
    for (const key of taken) this.#reads.add(keyOf(key), 1, nowMs);
    const answer = this.store.apply(
      new BatchGetCommand({ RequestItems: { [tableName]: { ...request, Keys: taken } } }),
    ) as BatchGetCommandOutput;
    const left = keys.filter((key) => !taken.includes(key));
    return left.length === 0 ? answer : { ...answer, UnprocessedKeys: { [tableName]: { ...request, Keys: left } } };
  }

  #refusal(): ProvisionedThroughputExceededException {
    this.#throttled += 1;
    return new ProvisionedThroughputExceededException({
      message: 'The level of throughput was exceeded',
      $metadata: {},
    });
  }
}

/** Units by partition key, in slices of the last second. */
class Loads {
  readonly #slices = new Map<string, { slice: number; readonly units: number[] }>();
  #peak: Peak = { key: '', units: 0 };

  get peak(): Peak {
    return this.#peak;
  }

  of(key: string, nowMs: number): number {
    return this.#at(key, nowMs).reduce((sum, units) => sum + units, 0);
  }

  add(key: string, units: number, nowMs: number): void {
    const slices = this.#at(key, nowMs);
    slices[SLICES - 1] = (slices[SLICES - 1] ?? 0) + units;
    const sum = slices.reduce((left, right) => left + right, 0);
    if (sum > this.#peak.units) this.#peak = { key, units: sum };
  }

  /** The slices of the second that ends now, the oldest first. */
  #at(key: string, nowMs: number): number[] {
    const now = Math.floor(nowMs / SLICE_MS);
    const load = this.#slices.get(key) ?? { slice: now, units: Array.from({ length: SLICES }, () => 0) };
    this.#slices.set(key, load);
    for (
      const passed = Math.min(SLICES, now - load.slice), start = load.slice;
      load.slice < start + passed;
      load.slice += 1
    ) {
      load.units.shift();
      load.units.push(0);
    }
    load.slice = now;
    return load.units;
  }
}

const keyOf = (item: Item | undefined): string => String(item?.['pk']);
const writeUnits = (item: Item | undefined): number => Math.max(1, Math.ceil(itemBytes(item ?? {}) / WRITE_UNIT_BYTES));

/** The size of an item as it is billed: its names and its values. */
export function itemBytes(item: Item): number {
  return Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value), 0);
}

function valueBytes(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  // A number has a byte for two digits, and one more.
  if (typeof value === 'number') return Math.ceil(String(value).length / 2) + 1;
  if (Array.isArray(value)) return value.reduce((sum: number, one) => sum + valueBytes(one) + 1, 3);
  if (typeof value === 'object' && value !== null) return itemBytes(value as Item) + 3;
  return 1;
}
