import { LRUCache } from 'lru-cache';
import type { ItemSeal } from './itemSeal.ts';
import { decodeEntries, encodeEntries, type Entries } from './keyCodec.ts';
import { KeyedMutex } from './keyedMutex.ts';
import { PRE_KEYS, RANKS, type Rank } from './keyLayout.ts';
import { isStepFrom, lastStepOf, stepIn, storedAhead } from './sentSteps.ts';
import type { HardWrite, SessionItems } from './sessionItems.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';

/** A change of one item: keys by name, null for a key that is removed. */
export interface ItemChange {
  readonly isHard: boolean;
  readonly rank: Rank;
  /** The number of days from this write on after which the item expires; undefined for an item that stays. */
  readonly keptDays?: number | undefined;
  readonly entries: ReadonlyMap<string, Uint8Array | null>;
}

/** How long a change of a receiving step may wait in memory, in milliseconds (docs/sessions.md, "Session store"). */
const BEHIND_MS = 2_000;
/** The number of changed items at which they are written at once, however short they have waited. */
const MOST_BEHIND = 100;
/** The number of items of pre-keys from which on they are written in one call: a pairing makes 33. */
const MANY = 3;
/** The number of items that DynamoDB writes in one transaction. */
const TRANSACTION_LIMIT = 100;
/** Bytes of items that one connection keeps in memory: about a thousand Signal sessions. */
const CACHED_BYTES = 1_024 * 1_024;
/** The bytes that an item costs in memory besides its keys. */
const ITEM_BYTES = 256;
/** The number of seconds in a day. A removed item stays for some days, empty, so that a late write of it is refused. */
const DAY_SECONDS = 86_400;
const TOMBSTONE_SECONDS = 30 * DAY_SECONDS;
/**
 * How long an item that expires is remembered at most, in milliseconds. An item that expires sooner is not remembered
 * at all.
 */
const EXPIRING_CACHED_MS = DAY_SECONDS * 1_000;

interface Item {
  readonly version: number;
  readonly entries: Entries;
  /** The last step of sending that the store has, where that is ahead of this memory (`sentSteps`). */
  readonly storedStep?: number | undefined;
  /** How often it was written for a step of sending alone. */
  readonly stepWrites?: number | undefined;
}

const NO_ITEM: Item = { version: 0, entries: new Map() };

interface ChangedItem extends Item {
  readonly isHard: boolean;
  readonly rank: Rank;
  readonly keptDays: number | undefined;
}

/** A write of a changed item, and the item that is remembered after it. */
interface ItemWrite {
  readonly isHard: boolean;
  readonly hard: HardWrite;
  readonly after: Item;
  readonly expires: boolean;
}

interface KeyItemsDependencies extends Pick<Surroundings, 'clock'> {
  readonly items: SessionItems;
  readonly seal: ItemSeal;
  /**
   * Called when a write that no caller waits for has failed. Its changes are forgotten: receiving goes on from the
   * stored state.
   */
  readonly onFailure: (error: unknown) => void;
}

/**
 * The items that hold keys: a bounded memory of them, and the ones whose changes are not written yet. An item has one
 * change at a time; a change counts for readers as soon as it is made, and for the store when it is written.
 */
export class KeyItems {
  readonly #dependencies: KeyItemsDependencies;
  readonly #mutex = new KeyedMutex();
  readonly #cache = new LRUCache<string, Item>({
    maxSize: CACHED_BYTES,
    sizeCalculation: sizeOf,
    dispose: (_item, _sk, reason) => {
      if (reason === 'evict' || reason === 'expire') this.#isAllKnown = undefined;
    },
  });
  /** Items with changes, which are never forgotten before they are written. */
  readonly #changed = new Map<string, ChangedItem>();
  #waiting: AbortController | undefined;
  /**
   * Tells the items of an account whose first key this memory has seen, and of which it has forgotten none: the store
   * has no others, so that an absent one need not be read. Undefined when something was forgotten, or a write failed.
   */
  #isAllKnown: ((sk: string) => boolean) | undefined;

  constructor(dependencies: KeyItemsDependencies) {
    this.#dependencies = dependencies;
  }

  /** The items with their keys, by sort key. A failure throws: an item that cannot be read is never an empty one. */
  read(sortKeys: readonly string[]): Promise<ReadonlyMap<string, Pick<Item, 'entries'>>> {
    return this.#load(sortKeys);
  }

  /**
   * An account was linked just now, and nothing is stored of its keys. That is so until this owner writes: what another
   * owner would write, it writes after a change of epoch, by which our writes are refused. After a restart this is not
   * known, and everything is read.
   */
  startAnew(isOfAccount: (sk: string) => boolean): void {
    this.#isAllKnown = isOfAccount;
  }

  /**
   * Makes changes and resolves when they are durable. Items of a lower rank are written first.
   * @param made called when many new pre-keys count for readers and their write is on its way; else not at all
   */
  async writeThrough(changes: ReadonlyMap<string, ItemChange>, made?: () => void): Promise<void> {
    for (const rank of RANKS) {
      const together = [...changes].filter(([, change]) => change.rank === rank);
      if (together.length === 0) continue;
      await this.#writeChanged((item) => item.rank < rank);
      await this.#load(together.map(([sk]) => sk));
      if (rank === PRE_KEYS && together.length >= MANY) {
        await this.#writeTogether(together, made);
        continue;
      }
      await Promise.all(
        together.map(([sk, change]) =>
          this.#mutex.run(sk, async () => {
            await this.#apply(sk, change);
            await this.#write(sk);
          }),
        ),
      );
    }
  }

  /**
   * Makes changes and resolves; they are durable at most two seconds later, or with the next write of their item. A
   * change of pre-keys does not wait: it shares an item with others, and would be written with them before its own
   * session is.
   */
  async writeBehind(changes: ReadonlyMap<string, ItemChange>): Promise<void> {
    if (changes.size === 0) return;
    if ([...changes.values()].some(({ rank }) => rank === PRE_KEYS)) return this.writeThrough(changes);
    await this.#load([...changes.keys()]);
    await Promise.all([...changes].map(([sk, change]) => this.#mutex.run(sk, () => this.#apply(sk, change))));
    if (this.#changed.size >= MOST_BEHIND) await this.flush();
    else if (this.#changed.size > 0) this.#writeLater();
  }

  /** Writes every change that is not written yet. Rejects when that fails; the changes are forgotten then. */
  async flush(): Promise<void> {
    this.#waiting?.abort();
    this.#waiting = undefined;
    await this.#writeChanged(() => true);
  }

  /** Forgets everything, unwritten changes included. */
  clear(): void {
    this.#waiting?.abort();
    this.#waiting = undefined;
    this.#isAllKnown = undefined;
    this.#changed.clear();
    this.#cache.clear();
  }

  #writeLater(): void {
    if (this.#waiting !== undefined) return;
    const waiting = new AbortController();
    this.#waiting = waiting;
    const { clock, onFailure } = this.#dependencies;
    void clock.sleep(BEHIND_MS, waiting.signal).then(async () => {
      if (!waiting.signal.aborted) await this.flush().catch(onFailure);
    });
  }

  async #writeChanged(isWanted: (item: ChangedItem) => boolean): Promise<void> {
    for (const rank of RANKS) {
      const wanted = [...this.#changed].filter(([, item]) => item.rank === rank && isWanted(item));
      await Promise.all(wanted.map(([sk]) => this.#mutex.run(sk, () => this.#write(sk))));
    }
  }

  /**
   * Applies a change; the caller holds the item's turn. A change without effect is not written: Baileys stores much
   * again as it was.
   */
  async #apply(sk: string, { isHard, rank, keptDays, entries }: ItemChange): Promise<void> {
    const before: Item = (await this.#load([sk])).get(sk) ?? { version: 0, entries: new Map() };
    const changes = [...entries].filter(([name, bytes]) => !isEqual(before.entries.get(name), bytes));
    if (changes.length === 0) return;
    const after = new Map(before.entries);
    for (const [name, bytes] of changes) {
      if (bytes === null) after.delete(name);
      else after.set(name, bytes);
    }
    const isStep =
      !this.#changed.has(sk) && changes.every(([name, bytes]) => isStepFrom(before.entries.get(name), bytes));
    const { version, storedStep = -Infinity, stepWrites = 0 } = before;
    if (isStep && changes.every(([, bytes]) => bytes !== null && lastStepOf(bytes) <= storedStep)) {
      // The store is as far, or ahead.
      this.#cache.set(sk, { ...before, entries: after });
      return;
    }
    const change = { isHard, rank, keptDays, stepWrites: isStep ? stepWrites + 1 : stepWrites };
    this.#changed.set(sk, { version, entries: after, ...change });
    this.#cache.delete(sk);
  }

  /** Makes changes of many items and writes them all or none, in as few calls as possible. */
  async #writeTogether(
    changes: readonly (readonly [sk: string, change: ItemChange])[],
    made: (() => void) | undefined,
  ): Promise<void> {
    for (let start = 0; start < changes.length; start += TRANSACTION_LIMIT) {
      const some = changes.slice(start, start + TRANSACTION_LIMIT);
      const sortKeys = some.map(([sk]) => sk);
      await this.#mutex.runAll(sortKeys, async () => {
        for (const [sk, change] of some) await this.#apply(sk, change);
        const writes = sortKeys.flatMap((sk) => this.#writeOf(sk) ?? []);
        if (changes.length <= TRANSACTION_LIMIT) made?.();
        await this.#written(writes, ({ items }) => items.writeHardTogether(writes.map(({ hard }) => hard)));
      });
    }
  }

  /** Writes an item; the caller holds its turn. Nothing is done if the item was written meanwhile. */
  async #write(sk: string): Promise<void> {
    const write = this.#writeOf(sk);
    if (write === undefined) return;
    const { isHard, hard } = write;
    await this.#written([write], ({ items }) =>
      isHard
        ? items.writeHard(sk, hard.readVersion, hard.body, hard.attributes)
        : items.writeSoft(sk, hard.body, hard.attributes),
    );
  }

  /** The write of a changed item; undefined if it is not changed. */
  #writeOf(sk: string): ItemWrite | undefined {
    const item = this.#changed.get(sk);
    if (item === undefined) return undefined;
    const { seal, clock } = this.#dependencies;
    const { version, entries, isHard, stepWrites } = item;
    const next = isHard ? version + 1 : 0;
    const keptSeconds = secondsKept(item);
    const stored = storedAhead(entries, stepWrites ?? 0);
    const attributes = keptSeconds === undefined ? {} : { ttl: Math.floor(clock.nowMs() / 1_000) + keptSeconds };
    let body: Uint8Array;
    try {
      body = seal.seal(sk, next, encodeEntries(stored));
    } catch (error) {
      this.#isAllKnown = undefined;
      this.#changed.delete(sk);
      throw error;
    }
    return {
      isHard,
      hard: { sk, readVersion: version, body, attributes },
      after: { version: next, entries, storedStep: stepIn(stored), stepWrites },
      expires: keptSeconds !== undefined,
    };
  }

  /** Writes, and remembers what was written. */
  async #written(
    writes: readonly ItemWrite[],
    write: (to: Pick<KeyItemsDependencies, 'items'>) => Promise<void>,
  ): Promise<void> {
    if (writes.length === 0) return;
    try {
      await write(this.#dependencies);
      for (const { hard, after, expires } of writes) {
        // An item that expires in the store must not be known here for longer.
        this.#cache.set(hard.sk, after, expires ? { ttl: EXPIRING_CACHED_MS } : {});
      }
    } catch (error) {
      this.#isAllKnown = undefined;
      throw error;
    } finally {
      // A failed write may be taken all the same, now or later: then the store knows better than this memory.
      for (const { hard } of writes) this.#changed.delete(hard.sk);
    }
  }

  async #load(sortKeys: readonly string[]): Promise<ReadonlyMap<string, Item>> {
    const { items, seal } = this.#dependencies;
    const found = new Map<string, Item>();
    const missing: string[] = [];
    for (const sk of sortKeys) {
      const known = this.#known(sk) ?? (this.#isAllKnown?.(sk) === true ? NO_ITEM : undefined);
      if (known === undefined) missing.push(sk);
      else found.set(sk, known);
    }
    if (missing.length === 0) return found;
    const stored = await items.read(missing);
    for (const sk of missing) {
      const item = stored.get(sk);
      // A change may have been made meanwhile: it is newer than the item that was read.
      const loaded =
        this.#known(sk) ??
        (item === undefined
          ? { version: 0, entries: new Map() }
          : { version: item.version, entries: seal.open(item, decodeEntries) });
      if (!this.#changed.has(sk)) this.#remember(sk, loaded, item?.attributes['ttl']);
      found.set(sk, loaded);
    }
    return found;
  }

  /**
   * Remembers an item.
   * @param ttl when the item expires in the store, in seconds since 1970
   */
  #remember(sk: string, item: Item, ttl: unknown): void {
    if (typeof ttl !== 'number') this.#cache.set(sk, item);
    else if (ttl * 1_000 - this.#dependencies.clock.nowMs() > 2 * EXPIRING_CACHED_MS)
      this.#cache.set(sk, item, { ttl: EXPIRING_CACHED_MS });
  }

  #known(sk: string): Item | undefined {
    return this.#changed.get(sk) ?? this.#cache.get(sk);
  }
}

/** How long an item stays in the store from its write on, in seconds; undefined for an item that stays for good. */
function secondsKept({ isHard, entries, keptDays }: ChangedItem): number | undefined {
  if (isHard && entries.size === 0) return TOMBSTONE_SECONDS;
  return keptDays === undefined ? undefined : keptDays * DAY_SECONDS;
}

function isEqual(before: Uint8Array | undefined, after: Uint8Array | null): boolean {
  if (before === undefined || after === null) return before === undefined && after === null;
  return Buffer.from(before).equals(after);
}

function sizeOf({ entries }: Item, sk: string): number {
  let bytes = ITEM_BYTES + sk.length;
  for (const [name, value] of entries) bytes += name.length + value.length;
  return bytes;
}
