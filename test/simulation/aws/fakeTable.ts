import { tableDefinitions, type IndexDefinition } from '../../../shared/platform/tables.ts';
import { compareText, validationException, type Item } from './attributeValues.ts';

/** Key of an item in its table. */
export interface Key {
  readonly pk: string;
  readonly sk: string;
}

/** Sort keys from one to another; what is left out does not bound. */
export interface SortRange {
  readonly from?: { readonly sk: string; readonly isIncluded: boolean };
  readonly to?: { readonly sk: string; readonly isIncluded: boolean };
  readonly prefix?: string;
}

/** Items in the order of sort key and partition key. */
export class SortedItems {
  readonly #items: Item[] = [];

  get size(): number {
    return this.#items.length;
  }

  find(key: Key): Item | undefined {
    const item = this.#items[this.#placeOf(key)];
    return item !== undefined && compareKeys(toKey(item), key) === 0 ? item : undefined;
  }

  put(item: Item): void {
    const key = toKey(item);
    const last = this.#items.at(-1);
    if (last === undefined || compareKeys(toKey(last), key) < 0) {
      this.#items.push(item);
      return;
    }
    const place = this.#placeOf(key);
    const there = this.#items[place];
    this.#items.splice(place, there !== undefined && compareKeys(toKey(there), key) === 0 ? 1 : 0, item);
  }

  delete(key: Key): void {
    if (this.find(key) !== undefined) this.#items.splice(this.#placeOf(key), 1);
  }

  /** Items of a range, at most `limit`, going on after a key that need not exist. */
  page(range: SortRange, forward: boolean, after: Key | undefined, limit: number): readonly Item[] {
    let start = this.#firstIndex((item) => !isBefore(item, range));
    let end = this.#firstIndex((item) => isPast(item, range));
    if (after !== undefined && forward)
      start = Math.max(
        start,
        this.#firstIndex((item) => isBeyond(item, after)),
      );
    if (after !== undefined && !forward) end = Math.min(end, this.#placeOf(after));
    if (end <= start) return [];
    if (forward) return this.#items.slice(start, Math.min(end, start + limit));
    return this.#items.slice(Math.max(start, end - limit), end).reverse();
  }

  #placeOf(key: Key): number {
    return this.#firstIndex((item) => compareKeys(toKey(item), key) >= 0);
  }

  /** The first index from which on a condition holds that, once it holds, holds for all that follow. */
  #firstIndex(holds: (item: Item) => boolean): number {
    let [low, high] = [0, this.#items.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (holds(this.#items[middle] as Item)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** One table: its partitions, and the sparse indexes that the definitions give a table of its name. */
export class FakeTable {
  readonly indexes: readonly IndexDefinition[];
  readonly #partitions = new Map<string, SortedItems>();
  readonly #indexed = new Map<string, Map<string, SortedItems>>();
  /** Partitions in the order in which a scan meets them. */
  readonly #scanOrder: { readonly hash: number; readonly pk: string }[] = [];

  constructor(tableName: string) {
    this.indexes = tableDefinitions.find(({ name }) => tableName.endsWith(`-${name}`))?.indexes ?? [];
    for (const { name } of this.indexes) this.#indexed.set(name, new Map());
  }

  find(key: Key): Item | undefined {
    return this.#partitions.get(key.pk)?.find(key);
  }

  partition(pk: string): SortedItems {
    return this.#partitions.get(pk) ?? new SortedItems();
  }

  indexPartition(indexName: string, value: string): SortedItems {
    const index = this.#indexed.get(indexName);
    if (index === undefined) throw validationException(`The table does not have the specified index: ${indexName}`);
    return index.get(value) ?? new SortedItems();
  }

  /** Stores an item in place of the one that has its key, or takes that away. */
  replace(key: Key, before: Item | undefined, after: Item | undefined): void {
    for (const index of this.indexes) {
      const partitions = this.#indexed.get(index.name) ?? new Map<string, SortedItems>();
      if (before?.[index.partitionKey] !== undefined) remove(partitions, before[index.partitionKey] as string, key);
      if (after?.[index.partitionKey] !== undefined) add(partitions, after[index.partitionKey] as string, after);
    }
    if (after === undefined) {
      if (remove(this.#partitions, key.pk, key)) this.#scanOrder.splice(this.#scanPlace(key.pk), 1);
    } else if (add(this.#partitions, key.pk, after)) {
      this.#scanOrder.splice(this.#scanPlace(key.pk), 0, { hash: hashOf(key.pk), pk: key.pk });
    }
  }

  /** At most `limit` items after a key. A scan meets partitions in the order of a hash, as in DynamoDB: in no useful one. */
  scan(after: Key | undefined, limit: number): readonly Item[] {
    const found: Item[] = [];
    const first = after === undefined ? 0 : this.#scanPlace(after.pk);
    for (let place = first; place < this.#scanOrder.length && found.length < limit; place += 1) {
      const { pk } = this.#scanOrder[place] as { readonly pk: string };
      const from = after?.pk === pk ? after : undefined;
      for (const item of this.partition(pk).page({}, true, from, limit - found.length)) found.push(item);
    }
    return found;
  }

  /** All items in the order of their keys. */
  items(): readonly Item[] {
    const names = [...this.#partitions.keys()].sort(compareText);
    return names.flatMap((pk) => this.partition(pk).page({}, true, undefined, Infinity));
  }

  #scanPlace(pk: string): number {
    const hash = hashOf(pk);
    let [low, high] = [0, this.#scanOrder.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const there = this.#scanOrder[middle] as { readonly hash: number; readonly pk: string };
      if (there.hash < hash || (there.hash === hash && compareText(there.pk, pk) < 0)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export function toKey(item: Item): Key {
  return item as unknown as Key;
}

/** Whether a sort key is in a range. */
export function isInRange(sk: string, range: SortRange): boolean {
  const item = { sk };
  return !isBefore(item, range) && !isPast(item, range);
}

function isBefore(item: Item, { from, prefix }: SortRange): boolean {
  const sk = item['sk'] as string;
  if (prefix !== undefined && compareText(sk, prefix) < 0) return true;
  if (from === undefined) return false;
  const order = compareText(sk, from.sk);
  return from.isIncluded ? order < 0 : order <= 0;
}

function isPast(item: Item, { to, prefix }: SortRange): boolean {
  const sk = item['sk'] as string;
  if (prefix !== undefined && !sk.startsWith(prefix) && compareText(sk, prefix) > 0) return true;
  if (to === undefined) return false;
  const order = compareText(sk, to.sk);
  return to.isIncluded ? order > 0 : order >= 0;
}

function isBeyond(item: Item, key: Key): boolean {
  return compareKeys(toKey(item), key) > 0;
}

function compareKeys(left: Key, right: Key): number {
  return compareText(left.sk, right.sk) || compareText(left.pk, right.pk);
}

/** Returns whether the partition is new. */
function add(partitions: Map<string, SortedItems>, name: string, item: Item): boolean {
  const known = partitions.get(name);
  const partition = known ?? new SortedItems();
  partition.put(item);
  if (known === undefined) partitions.set(name, partition);
  return known === undefined;
}

/** Returns whether the partition is gone. */
function remove(partitions: Map<string, SortedItems>, name: string, key: Key): boolean {
  const partition = partitions.get(name);
  partition?.delete(key);
  return partition?.size === 0 && partitions.delete(name);
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}
