import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { UpdateCommand, type DynamoDBDocumentClient, type UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import type { EventId } from '../kernel/id.ts';
import { expiryOf } from '../platform/expiry.ts';
import { chainedEventKey, CHAINED_PREFIX, chainKey, chainPartition } from '../platform/keys.ts';
import { fromStoredMap, type StoredValue } from '../platform/itemValues.ts';
import { firstOf, queryItems } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import type { Failure } from './attempt.ts';
import { behind, toChain, type Chain, type ChainName, type Coming } from './chain.ts';

/** Reads and writes of chains, each with its condition, so that one function works a chain at a time. */
export interface ChainTable {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
}

/**
 * How long a chain is held, in milliseconds, counted from the last event that was taken: longer than the function runs that holds it. The
 * delivery for which a dead function held it comes again by then.
 */
export const CHAIN_HELD_MS = 30_000;

/** How often it is tried to take a chain that others let go and take meanwhile. */
const TRIES = 4;

export type Taken =
  | { readonly taken: Chain }
  /** Another function works it and knows now that there is more. */
  | { readonly taken: 'called' }
  /** Another function holds it, or it waits: until this time. */
  | { readonly taken: 'not_now'; readonly untilMs: number; readonly isHeld: boolean };

/**
 * Takes a chain, so that this function alone works it. Condition: nobody holds it, and it does not wait. Where another one holds it, a delivery
 * that comes for the first time calls that one: it lets go only after it has looked for more. Throws when that cannot be settled now.
 */
export async function takeChain(
  dependencies: ChainTable,
  name: ChainName,
  { nowMs, coming }: { readonly nowMs: number; readonly coming: Coming },
): Promise<Taken> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const isDue = '(attribute_not_exists(waitsUntilMs) OR waitsUntilMs <= :now)';
    const written = await update(dependencies, name, {
      UpdateExpression: 'SET heldUntilMs = :until, #ttl = :ttl',
      ConditionExpression: `(attribute_not_exists(heldUntilMs) OR heldUntilMs <= :now)${coming === 'anew' ? '' : ` AND ${isDue}`}`,
      ExpressionAttributeNames: { '#ttl': 'ttl' },
      ExpressionAttributeValues: { ':until': nowMs + CHAIN_HELD_MS, ':now': nowMs, ':ttl': expiryOf('chain', nowMs) },
    });
    if (written.isWritten) return { taken: toChain(written.item) };
    const { heldUntilMs, waitsUntilMs } = toChain(written.item);
    if (heldUntilMs <= nowMs) return { taken: 'not_now', untilMs: waitsUntilMs, isHeld: false };
    if (coming === 'again') return { taken: 'not_now', untilMs: heldUntilMs, isHeld: true };
    const called = await update(dependencies, name, {
      UpdateExpression: 'ADD calls :one',
      ConditionExpression: 'heldUntilMs = :held',
      ExpressionAttributeValues: { ':one': 1, ':held': heldUntilMs },
    });
    if (called.isWritten) return { taken: 'called' };
  }
  throw new Error('others take and leave this chain all the time');
}

/**
 * Moves a chain behind what was taken or passed, and holds it on. Condition: this function holds it, and nobody has set it back. Returns
 * the chain as it is then; undefined when another one holds it.
 */
export async function advanceChain(
  dependencies: ChainTable,
  name: ChainName,
  chain: Chain,
  { place, nowMs }: { readonly place: string; readonly nowMs: number },
): Promise<Chain | undefined> {
  const written = await update(dependencies, name, {
    UpdateExpression:
      'SET place = :place, heldUntilMs = :until REMOVE attempts, firstFailure, headEvents, waitsUntilMs',
    ConditionExpression: `heldUntilMs = :held AND ${isAt(chain)}`,
    ExpressionAttributeValues: {
      ':place': place,
      ':until': Math.max(nowMs + CHAIN_HELD_MS, chain.heldUntilMs + 1),
      ':held': chain.heldUntilMs,
      ...placeOf(chain),
    },
  });
  if (written.isWritten) return toChain(written.item);
  const now = toChain(written.item);
  return now.heldUntilMs === chain.heldUntilMs ? now : undefined;
}

/** Lets a chain go at which nothing is left. Condition: it is held as it was read, and nobody has called since. Returns what it is then, if not. */
export async function releaseChain(
  dependencies: ChainTable,
  name: ChainName,
  { heldUntilMs, calls }: Chain,
): Promise<Chain | 'released'> {
  const written = await update(dependencies, name, {
    UpdateExpression: 'REMOVE heldUntilMs',
    ConditionExpression: `heldUntilMs = :held AND ${calls === 0 ? 'attribute_not_exists(calls)' : 'calls = :calls'}`,
    ExpressionAttributeValues: { ':held': heldUntilMs, ...(calls === 0 ? {} : { ':calls': calls }) },
  });
  if (written.isWritten) return 'released';
  const now = toChain(written.item);
  return now.heldUntilMs === heldUntilMs ? now : 'released';
}

/** Lets a chain go at which more is left, which another delivery stands for. Condition: this function holds it. */
export async function dropChain(dependencies: ChainTable, name: ChainName, { heldUntilMs }: Chain): Promise<void> {
  await update(dependencies, name, {
    UpdateExpression: 'REMOVE heldUntilMs',
    ConditionExpression: 'heldUntilMs = :held',
    ExpressionAttributeValues: { ':held': heldUntilMs },
  });
}

/** Has a chain wait until a time, and lets it go. Condition: this function holds it, and nobody has set it back. Returns whether it waits. */
export async function haveChainWait(
  dependencies: ChainTable,
  name: ChainName,
  chain: Chain,
  wait: Pick<Chain, 'attempts' | 'waitsUntilMs' | 'headEvents'> & { readonly firstFailure: Failure | undefined },
): Promise<boolean> {
  const { attempts, waitsUntilMs, headEvents, firstFailure } = wait;
  const set = Object.entries({ attempts, waitsUntilMs, headEvents, firstFailure }).filter(
    ([, value]) => value !== undefined,
  );
  const written = await update(dependencies, name, {
    UpdateExpression: `SET ${set.map(([field]) => `${field} = :${field}`).join(', ')} REMOVE heldUntilMs`,
    ConditionExpression: `heldUntilMs = :held AND ${isAt(chain)}`,
    ExpressionAttributeValues: {
      ...Object.fromEntries(set.map(([field, value]) => [`:${field}`, value])),
      ':held': chain.heldUntilMs,
      ...placeOf(chain),
    },
  });
  return written.isWritten;
}

/** Sets a chain back to an event, from which everything is posted again. Condition: it is further on. Who holds it is called. */
export async function setChainBack(dependencies: ChainTable, name: ChainName, eventId: EventId): Promise<void> {
  await update(dependencies, name, {
    UpdateExpression: 'SET place = :place REMOVE attempts, firstFailure, headEvents, waitsUntilMs ADD calls :one',
    ConditionExpression: 'place > :place',
    ExpressionAttributeValues: { ':place': eventId, ':one': 1 },
  });
}

/** Moves a chain behind all that it has, because its receiver wants none of it. Condition: it is not that far. */
export async function passAllOfChain(dependencies: ChainTable, name: ChainName, nowMs: number): Promise<void> {
  const [last] = await firstOf(entriesOf(dependencies, name, '', 1, false), 1);
  if (last === undefined) return;
  await update(dependencies, name, {
    UpdateExpression: 'SET place = :place, #ttl = :ttl REMOVE attempts, firstFailure, headEvents, waitsUntilMs',
    ConditionExpression: 'attribute_not_exists(place) OR place < :place',
    ExpressionAttributeNames: { '#ttl': 'ttl' },
    ExpressionAttributeValues: { ':place': behind(last), ':ttl': expiryOf('chain', nowMs) },
  });
}

/** The next events of a chain from its place on. Strongly consistent. */
export async function nextInChain(
  dependencies: ChainTable,
  name: ChainName,
  { place }: Pick<Chain, 'place'>,
  most: number,
): Promise<readonly EventId[]> {
  return firstOf(entriesOf(dependencies, name, place, most, true), most);
}

async function* entriesOf(
  { table, stage }: ChainTable,
  { endpointId, connectionId }: ChainName,
  place: string,
  pageSize: number,
  isForward: boolean,
): AsyncGenerator<EventId> {
  const input = {
    TableName: tableName(stage, 'core'),
    KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
    ExpressionAttributeValues: {
      ':pk': chainPartition(endpointId, connectionId),
      ':from': chainedEventKey(endpointId, connectionId, place).sk,
      ':to': chainedEventKey(endpointId, connectionId, '~').sk,
    },
    ScanIndexForward: isForward,
    ConsistentRead: true,
  };
  for await (const { sk } of queryItems(table, input, { pageSize })) {
    yield String(sk).slice(CHAINED_PREFIX.length) as EventId;
  }
}

const isAt = ({ place }: Chain): string => (place === '' ? 'attribute_not_exists(place)' : 'place = :from');
const placeOf = ({ place }: Chain): Record<string, unknown> => (place === '' ? {} : { ':from': place });

interface Written {
  readonly isWritten: boolean;
  /** The row after the write, or as it stands where the condition is not met. */
  readonly item: Readonly<Record<string, unknown>>;
}

async function update(
  { table, stage }: ChainTable,
  { endpointId, connectionId }: ChainName,
  input: Omit<UpdateCommandInput, 'TableName' | 'Key'>,
): Promise<Written> {
  try {
    const answer = await table.send(
      new UpdateCommand({
        TableName: tableName(stage, 'core'),
        Key: chainKey(endpointId, connectionId),
        ReturnValues: 'ALL_NEW',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        ...input,
      }),
    );
    return { isWritten: true, item: answer.Attributes ?? {} };
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    return { isWritten: false, item: fromStoredMap((error.Item ?? {}) as unknown as Record<string, StoredValue>) };
  }
}
