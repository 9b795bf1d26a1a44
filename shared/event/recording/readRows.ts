import { BatchGetCommand } from '@aws-sdk/lib-dynamodb';
import { AppError } from '../../kernel/appError.ts';
import { backoffMs } from '../../kernel/backoff.ts';
import { FACT_PREFIX, type ItemKey } from '../../platform/keys.ts';
import { isExpired } from '../../platform/expiry.ts';
import { tableName } from '../../platform/tables.ts';
import type { EventLogDependencies } from '../eventLog.ts';
import type { Surroundings } from '../../platform/surroundings.ts';
import { findPastNamed } from './pastNamed.ts';
import { besideOf, marksOf, subjectOf, type FactInHand } from './factInHand.ts';
import { earlyKeys, followingKeys, namingKeys } from './namedMessages.ts';
import type { Item, RowsRead } from './rowInHand.ts';

export interface ReadDependencies extends EventLogDependencies, Pick<Surroundings, 'random'> {}

/** The greatest number of keys in one call of DynamoDB. */
const BATCH_LIMIT = 100;
/** DynamoDB takes sort keys of up to 1,024 bytes; no row has a longer one. */
const SORT_KEY_BYTES = 1_024;
/** How often keys that DynamoDB left out are asked for again. */
const TRIES = 6;
const RETRY_DELAY = { firstMs: 20, capMs: 500 } as const;

/**
 * Reads all rows that some facts are about, strongly consistent, in as few calls as possible. Throws
 * `store_unavailable` when it cannot read all: a row that was not read must not count as missing.
 */
export async function readRows(dependencies: ReadDependencies, facts: readonly FactInHand[]): Promise<RowsRead> {
  const keys = facts.flatMap((fact) => {
    const others = [subjectOf(fact), besideOf(fact)].filter((key) => key !== undefined);
    return [...marksOf(fact).map(({ key }) => key), ...others];
  });
  const naming = facts.flatMap(namingKeys);
  const items = new Map(await readItems(dependencies, [...keys, ...naming]));
  // The facts of the messages that are named lead to the messages themselves.
  const found = (key: ItemKey): Item | undefined => items.get(nameOf(key));
  const following = facts.flatMap((fact) => [...followingKeys(found, fact), ...earlyKeys(found, fact)]);
  const missing = following.filter((key) => !items.has(nameOf(key)));
  if (missing.length > 0) {
    for (const [name, item] of await readItems(dependencies, missing)) items.set(name, item);
  }
  const read = async (wanted: readonly ItemKey[]) => {
    const more = wanted.length === 0 ? undefined : await readItems(dependencies, wanted);
    return (key: ItemKey): Item | undefined => more?.get(nameOf(key));
  };
  const own = new Set(keys.map(nameOf));
  for (const [key, item] of await findPastNamed({ ...dependencies, find: found, read }, facts)) {
    // A fact of this run that brings the message by itself is told all the same.
    if (!own.has(nameOf(key))) items.set(nameOf(key), item);
  }
  const nowMs = dependencies.clock.nowMs();
  const find = (key: ItemKey): Item | undefined => {
    const item = items.get(nameOf(key));
    // A fact that is no longer kept may be told again; messages and actions count for as long as they are there.
    const isGone = item === undefined || (key.sk.startsWith(FACT_PREFIX) && isExpired(item, nowMs));
    return isGone ? undefined : item;
  };
  return { find };
}

function nameOf({ pk, sk }: ItemKey): string {
  return `${pk} ${sk}`;
}

async function readItems(dependencies: ReadDependencies, keys: readonly ItemKey[]): Promise<ReadonlyMap<string, Item>> {
  const distinct = new Map(
    keys
      .filter(({ sk }) => Buffer.byteLength(sk) <= SORT_KEY_BYTES)
      .map(({ pk, sk }): [string, ItemKey] => [nameOf({ pk, sk }), { pk, sk }]),
  );
  const found = new Map<string, Item>();
  let wanted = [...distinct.values()];
  for (let attempt = 0; wanted.length > 0;) {
    const answer = await readSome(dependencies, wanted.slice(0, BATCH_LIMIT));
    for (const item of answer.items) found.set(nameOf(item as unknown as ItemKey), item);
    wanted = [...answer.left, ...wanted.slice(BATCH_LIMIT)];
    // An answer ends at 16 MB, which is no failure: the next one goes on there.
    if (answer.items.length > 0 || answer.left.length === 0) continue;
    attempt += 1;
    if (attempt === TRIES) throw new AppError('store_unavailable', { detail: 'not all rows could be read' });
    await dependencies.clock.sleep(backoffMs(RETRY_DELAY, attempt, dependencies.random.unit()));
  }
  return found;
}

async function readSome(
  { table, stage }: ReadDependencies,
  keys: readonly ItemKey[],
): Promise<{ readonly items: readonly Item[]; readonly left: readonly ItemKey[] }> {
  const TableName = tableName(stage, 'core');
  const RequestItems = { [TableName]: { Keys: keys.map((key) => ({ ...key })), ConsistentRead: true } };
  const answer = await table.send(new BatchGetCommand({ RequestItems }));
  return {
    items: answer.Responses?.[TableName] ?? [],
    left: (answer.UnprocessedKeys?.[TableName]?.Keys ?? []) as unknown as readonly ItemKey[],
  };
}
