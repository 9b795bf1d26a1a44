import { LRUCache } from 'lru-cache';
import type { KeyProvider } from '../../shared/platform/keyProvider.ts';
import type { OwnedConnection } from '../socket/connectionSocket.ts';
import { decodeValue, encodeValue } from './codec.ts';
import { KeyedMutex } from './keyedMutex.ts';
import { entryOf, inWriteOrder, placeOf } from './keyLayout.ts';
import { seal, unseal } from './seal.ts';
import { UnreadableItemError } from './sessionErrors.ts';
import { SessionItems, type SessionDependencies, type StoredItem } from './sessionItems.ts';

/**
 * Credentials and Signal keys of one connection, for one ownership of its shard. Everything is written through: when a
 * call resolves, the store has it. Reads come from a bounded cache that starts empty at each claim.
 *
 * The credentials item is the root: it holds the wrapped data key and the number of the present credentials. Keys carry
 * that number in their sort key, so keys of a retired account can never be taken for those of the next one. The item is
 * made by the owner at the first pairing of the connection, under the condition that there is none: the API cannot
 * write this table. Retired credentials stay, sealed, for 30 days.
 */
const CREDENTIALS = 'CREDENTIALS';
const RETIRED_SECONDS = 30 * 86_400;
const CACHED_ITEMS = 2_000;

export type KeyValues = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

interface Root {
  readonly version: number;
  /** Number of the present credentials; grows by one with each pairing. */
  readonly number: number;
  readonly credentials: unknown;
}

interface ItemChange {
  /** The type with whose turn the item is written. */
  readonly turn: string;
  readonly isHard: boolean;
  readonly entries: Record<string, unknown>;
}

interface CachedItem {
  readonly version: number;
  readonly entries: Readonly<Record<string, unknown>>;
}

export interface SessionOptions extends SessionDependencies {
  readonly keyProvider: KeyProvider;
}

export class Session {
  readonly #items: SessionItems;
  readonly #options: SessionOptions;
  readonly #context: { readonly tenantId: string; readonly connectionId: string };
  readonly #mutex = new KeyedMutex();
  readonly #cache = new LRUCache<string, CachedItem>({ max: CACHED_ITEMS });
  #dataKey: Uint8Array | undefined;
  #wrappedKey: Uint8Array | undefined;
  #root: Root = { version: 0, number: 0, credentials: undefined };
  /** A write of the root failed: it may have been taken, now or later. */
  #rootIsUnsure = false;

  constructor(connection: OwnedConnection, options: SessionOptions) {
    this.#items = new SessionItems(connection, options);
    this.#options = options;
    this.#context = { tenantId: connection.tenantId, connectionId: connection.connectionId };
  }

  /** Reads the credentials item. Called by {@link openSession}, and again when a write of it failed. */
  async load(): Promise<void> {
    const item = (await this.#items.read([CREDENTIALS])).get(CREDENTIALS);
    this.#rootIsUnsure = false;
    if (item === undefined) return;
    this.#wrappedKey = item.attributes['wrappedKey'] as Uint8Array;
    this.#dataKey = await this.#options.keyProvider.unwrapDataKey(this.#wrappedKey, this.#context);
    const value = this.#open(item) as { readonly number: number; readonly credentials?: unknown };
    this.#root = { version: item.version, number: value.number, credentials: value.credentials };
  }

  /** Whether an account is linked. Half-finished pairings are never stored. */
  get isPaired(): boolean {
    return this.#root.credentials !== undefined;
  }

  /** A copy of the stored credentials, or undefined when no account is linked. */
  get credentials(): unknown {
    return this.#root.credentials === undefined ? undefined : decodeValue(encodeValue(this.#root.credentials));
  }

  /**
   * Puts this owner's epoch on the credentials item, before a socket is opened: from here on an older owner's write of it
   * is refused. Throws OwnershipLostError when a newer owner was here already.
   */
  raiseEpoch(): Promise<void> {
    return this.#withRoot(async () => {
      if (this.#root.version > 0) await this.#writeRoot(this.#root.number, this.#root.credentials);
    });
  }

  /** Stores the credentials of a finished pairing: a new number, so that no key of an earlier account is found. */
  storeNewCredentials(credentials: unknown): Promise<void> {
    return this.#withRoot(async () => {
      if (this.#dataKey === undefined) {
        const dataKey = await this.#options.keyProvider.generateDataKey(this.#context);
        this.#dataKey = dataKey.plaintext;
        this.#wrappedKey = dataKey.wrapped;
      }
      this.#cache.clear();
      await this.#writeRoot(this.#root.number + 1, credentials);
    });
  }

  /** Stores a change of the present credentials. Does nothing when they were retired meanwhile. */
  saveCredentials(credentials: unknown): Promise<void> {
    const encoded = encodeValue(credentials);
    return this.#withRoot(async () => {
      if (this.isPaired) await this.#writeRoot(this.#root.number, decodeValue(encoded));
    });
  }

  /** The account is gone for good: the credentials are kept, sealed, for 30 days, and used no more. */
  retireCredentials(): Promise<void> {
    return this.#withRoot(async () => {
      if (!this.isPaired) return;
      const { number, credentials } = this.#root;
      const ttl = Math.floor(this.#options.clock.nowMs() / 1_000) + RETIRED_SECONDS;
      const sk = `${prefixOf(number)}RETIRED`;
      const known = (await this.#items.read([sk])).get(sk);
      const version = known?.version ?? 0;
      await this.#items.writeHard(sk, version, this.#seal(sk, version + 1, { credentials }), { ttl });
      await this.#writeRoot(number, undefined);
      this.#cache.clear();
      await this.#items.expire(prefixOf(number), ttl);
    });
  }

  /** Keys of a type. Absent ones are left out; a failure throws. */
  async getKeys(type: string, ids: readonly string[]): Promise<Record<string, unknown>> {
    const places = new Map(ids.map((id) => [id, this.#sortKey(placeOf(type, id).name)]));
    const items = await this.#itemsOf([...new Set(places.values())]);
    const found: Record<string, unknown> = {};
    for (const [id, sk] of places) {
      const value = items.get(sk)?.entries[entryOf(type, id)];
      // A copy: what the caller does to it must not count before it is stored.
      if (value !== undefined && value !== null) found[id] = decodeValue(encodeValue(value));
    }
    return found;
  }

  /** Stores keys; null removes one. Resolves when all are durable; they are written in the order that is safe. */
  async setKeys(values: KeyValues): Promise<void> {
    const items = new Map<string, ItemChange>();
    for (const type of inWriteOrder(Object.keys(values))) {
      for (const [id, value] of Object.entries(values[type] ?? {})) {
        const place = placeOf(type, id);
        const sk = this.#sortKey(place.name);
        // An item goes out with the first type that is in it, and takes the others along.
        const item = items.get(sk) ?? { turn: type, isHard: place.isHard, entries: {} };
        item.entries[entryOf(type, id)] = value;
        items.set(sk, item);
      }
    }
    for (const turn of new Set([...items.values()].map((item) => item.turn))) {
      const together = [...items].filter(([, item]) => item.turn === turn);
      await Promise.all(together.map(([sk, item]) => this.#change(sk, item.isHard, item.entries)));
    }
  }

  /** One at a time, and never on what may be old. */
  #withRoot(work: () => Promise<void>): Promise<void> {
    return this.#mutex.run(CREDENTIALS, async () => {
      if (this.#rootIsUnsure) await this.load();
      await work();
    });
  }

  #change(sk: string, isHard: boolean, changes: Readonly<Record<string, unknown>>): Promise<void> {
    return this.#mutex.run(sk, async () => {
      const before = (await this.#itemsOf([sk])).get(sk) ?? { version: 0, entries: {} };
      const entries: Record<string, unknown> = { ...before.entries };
      for (const [id, value] of Object.entries(changes)) {
        if (value === null || value === undefined) delete entries[id];
        else entries[id] = value;
      }
      const copy = decodeValue(encodeValue(entries)) as Record<string, unknown>;
      try {
        if (isHard) await this.#items.writeHard(sk, before.version, this.#seal(sk, before.version + 1, copy));
        else await this.#items.writeSoft(sk, this.#seal(sk, 0, copy));
      } catch (error) {
        // It may be taken all the same, now or later: the store knows better than we do.
        this.#cache.delete(sk);
        throw error;
      }
      this.#cache.set(sk, { version: isHard ? before.version + 1 : 0, entries: copy });
    });
  }

  async #itemsOf(sortKeys: readonly string[]): Promise<ReadonlyMap<string, CachedItem>> {
    const found = new Map<string, CachedItem>();
    const missing: string[] = [];
    for (const sk of sortKeys) {
      const cached = this.#cache.get(sk);
      if (cached === undefined) missing.push(sk);
      else found.set(sk, cached);
    }
    if (missing.length === 0) return found;
    const stored = await this.#items.read(missing);
    for (const sk of missing) {
      const item = stored.get(sk);
      const fresh: CachedItem =
        item === undefined
          ? { version: 0, entries: {} }
          : { version: item.version, entries: this.#open(item) as Record<string, unknown> };
      // A write may have finished meanwhile: what it put into the cache is newer than what was read.
      const cached = this.#cache.get(sk) ?? fresh;
      this.#cache.set(sk, cached);
      found.set(sk, cached);
    }
    return found;
  }

  async #writeRoot(number: number, credentials: unknown): Promise<void> {
    const version = this.#root.version + 1;
    const body = this.#seal(CREDENTIALS, version, { number, credentials });
    this.#rootIsUnsure = true;
    await this.#items.writeHard(CREDENTIALS, this.#root.version, body, { wrappedKey: this.#wrappedKey });
    this.#root = { version, number, credentials };
    this.#rootIsUnsure = false;
  }

  #sortKey(name: string): string {
    return `${prefixOf(this.#root.number)}${name}`;
  }

  #seal(sk: string, version: number, value: unknown): Uint8Array {
    if (this.#dataKey === undefined) throw new Error('keys are stored only after a pairing');
    return seal(this.#dataKey, { pk: this.#items.pk, sk, version, epoch: this.#items.epoch }, encodeValue(value));
  }

  #open({ sk, version, epoch, body }: StoredItem): unknown {
    try {
      if (this.#dataKey === undefined || body === undefined) throw new Error('nothing to open');
      return decodeValue(unseal(this.#dataKey, { pk: this.#items.pk, sk, version, epoch }, body));
    } catch (cause) {
      throw new UnreadableItemError(sk, { cause });
    }
  }
}

/** Opens the session of a connection for its present owner: one read, and one unwrap of its data key. */
export async function openSession(connection: OwnedConnection, options: SessionOptions): Promise<Session> {
  const session = new Session(connection, options);
  await session.load();
  return session;
}

function prefixOf(number: number): string {
  return `C${String(number).padStart(4, '0')}#`;
}
