import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { TenantId } from '../kernel/id.ts';
import { readerPartition, readerSlotKey, type ReaderKind } from '../platform/keys.ts';
import { allOf, queryItems } from '../platform/pages.ts';
import type { Surroundings } from '../platform/surroundings.ts';
import { tableName } from '../platform/tables.ts';
import type { EventLogDependencies } from './eventLog.ts';

export interface ReaderSlotDependencies extends EventLogDependencies, Pick<Surroundings, 'random'> {}

/** A place of a reader that stays: it is held until it is given back or its time is over. */
export interface ReaderSlot {
  readonly tenantId: TenantId;
  readonly kind: ReaderKind;
  readonly number: number;
  /** The holder, made by chance for each time that a place is taken. */
  readonly holder: string;
}

const HOLDER_BYTES = 9;
/** How often a free place is looked for again that another took meanwhile. */
const TRIES = 3;
/** The item of a place is deleted an hour after its time; until then its row says that it is free. */
const KEPT_SECONDS = 3_600;

/**
 * The places of a tenant's readers that stay for a while, which are requests that wait: so many at once over all processes.
 * Each place is a row with a time, so that a process that dies leaves its places for a while and not for ever. Two that take
 * one place at once are told apart by the condition of the write; a tenant that is at its limit costs one query.
 */
export class ReaderSlots {
  readonly #dependencies: ReaderSlotDependencies;
  readonly #TableName: string;

  constructor(dependencies: ReaderSlotDependencies) {
    this.#dependencies = dependencies;
    this.#TableName = tableName(dependencies.stage, 'core');
  }

  /**
   * Takes a place for a time, in milliseconds. Condition: nobody has it, or its time is over. Undefined when all are taken.
   */
  async take(
    tenantId: TenantId,
    kind: ReaderKind,
    { most, forMs }: { readonly most: number; readonly forMs: number },
  ): Promise<ReaderSlot | undefined> {
    const { random } = this.#dependencies;
    const holder = Buffer.from(random.bytes(HOLDER_BYTES)).toString('base64url');
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      const taken = await this.#taken(tenantId, kind);
      const free = Array.from({ length: most }, (_, number) => number).filter((number) => !taken.has(number));
      const number = free[Math.floor(random.unit() * free.length)];
      if (number === undefined) return undefined;
      const slot = { tenantId, kind, number, holder };
      if ((await this.#write(slot, forMs)) === 'held') return slot;
    }
    return undefined;
  }

  /** Gives a place back. Condition: it is this holder's; otherwise there is nothing to give back. */
  async release({ tenantId, kind, number, holder }: ReaderSlot): Promise<void> {
    try {
      await this.#dependencies.table.send(
        new DeleteCommand({
          TableName: this.#TableName,
          Key: readerSlotKey(tenantId, kind, number),
          ConditionExpression: 'holder = :holder',
          ExpressionAttributeValues: { ':holder': holder },
        }),
      );
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  }

  async #taken(tenantId: TenantId, kind: ReaderKind): Promise<ReadonlySet<number>> {
    const { table, clock } = this.#dependencies;
    const { pk, prefix } = readerPartition(tenantId, kind);
    const items = queryItems(table, {
      TableName: this.#TableName,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': pk, ':prefix': prefix },
      ConsistentRead: true,
    });
    const nowMs = clock.nowMs();
    const living = (await allOf(items)).filter((item) => Number(item['untilMs']) > nowMs);
    return new Set(living.map((item) => Number(item['number'])));
  }

  async #write({ tenantId, kind, number, holder }: ReaderSlot, forMs: number): Promise<'held' | 'lost'> {
    const { table, clock } = this.#dependencies;
    const nowMs = clock.nowMs();
    const untilMs = nowMs + forMs;
    try {
      await table.send(
        new PutCommand({
          TableName: this.#TableName,
          Item: {
            ...readerSlotKey(tenantId, kind, number),
            number,
            holder,
            untilMs,
            ttl: Math.ceil(untilMs / 1_000) + KEPT_SECONDS,
          },
          ConditionExpression: 'attribute_not_exists(pk) OR untilMs <= :now',
          ExpressionAttributeValues: { ':now': nowMs },
        }),
      );
      return 'held';
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return 'lost';
      throw error;
    }
  }
}
