import type { KeyProvider } from '../../shared/platform/keyProvider.ts';
import type { OwnedConnection } from '../fleet/ownedConnection.ts';
import { accountOf, Credentials } from './credentials.ts';
import { ItemSeal } from './itemSeal.ts';
import { decodeKey, encodeKey } from './keyCodec.ts';
import { KeyItems, type ItemChange } from './keyItems.ts';
import { entryOf, placeOf, type KeyPlace } from './keyLayout.ts';
import { KeptPlaintexts, type Kept } from './keptPlaintexts.ts';
import { OPEN_RECORD } from './sentSteps.ts';
import { ItemWentBackError } from './sessionErrors.ts';
import { removeSession } from './removeSession.ts';
import { SentMessages } from './sentMessages.ts';
import { SessionItems, type SessionDependencies } from './sessionItems.ts';

/**
 * Credentials and Signal keys of one connection, for one ownership of its shard (docs/sessions.md). A change that must
 * not be lost is in the store when a call resolves; receiving steps may be written up to two seconds later, because a
 * receiver that was set back reads on, while a sender that was set back uses a key twice. Memory is bounded and starts
 * empty at each claim.
 */
export type KeyValues = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export interface SessionOptions extends SessionDependencies {
  readonly keyProvider: KeyProvider;
}

type FailureListener = (error: unknown) => void;

export class Session {
  readonly #options: SessionOptions;
  readonly #items: SessionItems;
  readonly #credentials: Credentials;
  readonly #keys: KeyItems;
  readonly #plaintexts: KeptPlaintexts;
  readonly #sent: SentMessages;
  readonly #listeners = new Set<FailureListener>();

  constructor(connection: OwnedConnection, options: SessionOptions) {
    const { tenantId, connectionId } = connection;
    const items = new SessionItems(connection, options);
    this.#options = options;
    this.#items = items;
    const seal = new ItemSeal(items, options.keyProvider, { tenantId, connectionId });
    const onFailure = (error: unknown): void => void this.#onFailure(error);
    const common = { items, seal, clock: options.clock, onFailure };
    this.#credentials = new Credentials(common);
    this.#keys = new KeyItems(common);
    this.#plaintexts = new KeptPlaintexts({ items, seal, clock: options.clock, metrics: options.metrics });
    this.#sent = new SentMessages(common);
  }

  /** Reads the credentials. Called by {@link openSession}. */
  load(): Promise<void> {
    return this.#credentials.load();
  }

  /** Whether an account is linked. Half-finished pairings are never stored. */
  get isPaired(): boolean {
    return this.#credentials.isPaired;
  }

  /** A copy of the stored credentials, or undefined when no account is linked. */
  get credentials(): unknown {
    return this.#credentials.value;
  }

  /**
   * Puts this owner's epoch on the credentials, before a socket is opened: from here on an older owner's write of them
   * is refused, also of the first ones. Throws OwnershipLostError when a newer owner was here already.
   */
  raiseEpoch(): Promise<void> {
    return this.#credentials.raiseEpoch();
  }

  /** Does that for a socket that has to wait for its turn first; what it may take is done while others have theirs. */
  raiseEpochAhead(): Promise<void> {
    return this.#credentials.raiseAhead();
  }

  /** Stores the credentials of a finished pairing: a new number, so that no key of an earlier account is found. */
  async storeNewCredentials(credentials: unknown): Promise<void> {
    this.#keys.clear();
    this.#keys.startAnew(accountOf(await this.#credentials.storeNew(credentials)));
  }

  /** Stores a change of the present credentials. Does nothing when they were retired meanwhile. */
  saveCredentials(credentials: unknown): Promise<void> {
    return this.#credentials.save(credentials);
  }

  /**
   * Retires the credentials of an account that is gone for good: they are kept, sealed, for 30 days, and used no more.
   */
  async retireCredentials(): Promise<void> {
    this.#keys.clear();
    await this.#credentials.retire();
  }

  /** Reads keys of a type. Absent ones are left out; a failure throws. */
  async getKeys(type: string, ids: readonly string[]): Promise<Record<string, unknown>> {
    const places = new Map(ids.map((id) => [id, this.#sortKey(placeOf(type, id))]));
    const items = await this.#guarded(() => this.#keys.read([...new Set(places.values())]));
    const found: Record<string, unknown> = {};
    for (const [id, sk] of places) {
      const bytes = items.get(sk)?.entries.get(entryOf(type, id));
      // Each caller gets a decoded value of its own: a change of it must not count before it is stored.
      if (bytes !== undefined) found[id] = decodeKey(bytes);
    }
    return found;
  }

  /**
   * Whether there is an open Signal session, one with which something can be sealed, by the form of its record alone:
   * nothing is decoded. False also where only the record itself says that there is one.
   * @param address the address that the session is kept under
   */
  async hasOpenSession(address: string): Promise<boolean> {
    const sk = this.#sortKey(placeOf('session', address));
    const items = await this.#guarded(() => this.#keys.read([sk]));
    return items.get(sk)?.entries.get(entryOf('session', address))?.[0] === OPEN_RECORD;
  }

  /**
   * Stores keys; null removes one. Resolves when all hard ones are durable; they are written in the order that is safe.
   * Soft ones can be learned again: they may be written a little later, together.
   * @param made called when new pre-keys count for readers and are on their way to the store
   */
  async setKeys(values: KeyValues, made?: () => void): Promise<void> {
    const changes = [...this.#toChanges(values)];
    await this.#guarded(async () => {
      await this.#keys.writeBehind(new Map(changes.filter(([, { isHard }]) => !isHard)));
      await this.#keys.writeThrough(new Map(changes.filter(([, { isHard }]) => isHard)), made);
    });
  }

  /**
   * Stores keys of a receiving step, whose message is published. Resolves at once; they are durable two seconds later
   * at most, and before anything is sent on the same session.
   */
  setKeysBehind(values: KeyValues): Promise<void> {
    return this.#guarded(() => this.#keys.writeBehind(this.#toChanges(values)));
  }

  /**
   * Keeps for 30 days the plaintext of a message that cannot be shown yet. Resolves when it is durable, or is beyond
   * the bounds.
   * @param factKey names the message
   */
  keepPlaintext(factKey: string, plaintext: Uint8Array): Promise<Kept> {
    return this.#plaintexts.keep(factKey, plaintext);
  }

  /**
   * Keeps for 30 days the bytes that leave under a stanza id. Resolves when they are durable; `kept_before` when an
   * earlier try has kept some, which count.
   */
  keepSent(stanzaId: string, bytes: Uint8Array): Promise<'kept' | 'kept_before'> {
    return this.#sent.keep(stanzaId, bytes);
  }

  /** Finds the kept bytes of messages that were sent, by stanza id. A failure throws. */
  findSent(stanzaIds: readonly string[]): Promise<ReadonlyMap<string, Uint8Array | 'unreadable'>> {
    return this.#sent.find(stanzaIds);
  }

  /** Writes every change that is not written yet. Called before the connection is given away. */
  async flush(): Promise<void> {
    await this.#guarded(() => this.#keys.flush());
    await this.#credentials.flush();
  }

  /** Forgets unwritten changes, and writes nothing more: another worker owns the connection. */
  abandon(): void {
    this.#items.close();
    this.#keys.clear();
    this.#credentials.abandon();
  }

  /** Writes nothing more, and removes all that is kept ({@link removeSession}). */
  async remove(): Promise<void> {
    this.abandon();
    await removeSession(this.#items, this.#options);
  }

  /** Calls the listener for writes that failed while no caller waited for them. Returns a function that ends this. */
  onFailure(listener: FailureListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Leaves all Signal sessions and sender keys behind. New ones are made when they are next needed. */
  async renegotiate(): Promise<void> {
    this.#keys.clear();
    await this.#credentials.dropRatchets();
  }

  /**
   * Runs work on items and leaves ratchets behind when one has gone back: an item that is older than the written one
   * was put back by somebody, and so may be others that are not remembered. Sending on an old ratchet would use its
   * keys twice.
   */
  async #guarded<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof ItemWentBackError) await this.renegotiate();
      throw error;
    }
  }

  /** The part that uses the session stops first: then nothing is in the way of a new start. */
  async #onFailure(cause: unknown): Promise<void> {
    for (const listener of this.#listeners) listener(cause);
    if (cause instanceof ItemWentBackError) await Promise.allSettled([this.renegotiate()]);
  }

  #toChanges(values: KeyValues): ReadonlyMap<string, ItemChange> {
    const changes = new Map<string, ItemChange & { readonly entries: Map<string, Uint8Array | null> }>();
    for (const [type, keys] of Object.entries(values)) {
      for (const [id, value] of Object.entries(keys)) {
        const place = placeOf(type, id);
        const sk = this.#sortKey(place);
        const change = changes.get(sk) ?? {
          isHard: place.isHard,
          rank: place.rank,
          keptDays: place.keptDays,
          entries: new Map(),
        };
        const isRemoved = value === null || value === undefined;
        change.entries.set(entryOf(type, id), isRemoved ? null : encodeKey(type, value));
        changes.set(sk, change);
      }
    }
    return changes;
  }

  #sortKey({ scope, name }: KeyPlace): string {
    return `${this.#credentials.prefix(scope)}${name}`;
  }
}

/** Opens the session of a connection for its present owner: two reads, and one unwrap of its data key. */
export async function openSession(connection: OwnedConnection, options: SessionOptions): Promise<Session> {
  const session = new Session(connection, options);
  await session.load();
  return session;
}
