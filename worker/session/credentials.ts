import { copyValue, decodeValue, encodeValue, isSameValue } from './codec.ts';
import type { ItemSeal } from './itemSeal.ts';
import { KeyedMutex } from './keyedMutex.ts';
import type { SessionItems } from './sessionItems.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';

/**
 * The credentials of one connection, in two items. The root is small and holds the fields that change: the number of
 * the present credentials, the number of their ratchets, counters. It exists before the first pairing, so that a
 * pairing is an update and an older owner's late write of it is refused. The account item holds the fields that a
 * pairing fixes once, under the number of the credentials; it is written before the root that names it. Keys carry both
 * numbers in their sort keys, so keys of a retired account can never be taken for those of the next one, and ratchets
 * that may have gone back are left behind together.
 */
export const CREDENTIALS_KEY = 'CREDENTIALS';
const RETIRED_SECONDS = 30 * 86_400;

/** The fields that a pairing fixes. All other fields may change later and live in the root. */
const FIXED: ReadonlySet<string> = new Set([
  'noiseKey',
  'pairingEphemeralKeyPair',
  'signedIdentityKey',
  'registrationId',
  'advSecretKey',
  'account',
  'signalIdentities',
  'platform',
]);
/**
 * Fields that WhatsApp gives again at the next login: they are worth a write only together with others, or after some
 * time.
 */
const COSMETIC: ReadonlySet<string> = new Set(['routingInfo', 'lastPropHash', 'lastAccountSyncTimestamp']);
const COSMETIC_BEHIND_MS = 30_000;

type Fields = Readonly<Record<string, unknown>>;

interface Root {
  readonly version: number;
  readonly epoch: number;
  /** The number of the present credentials; it grows by one with each pairing. */
  readonly number: number;
  /** The number of the present ratchets; a new one is taken when the ratchets before may have gone back. */
  readonly ratchets: number;
  /** The fields that change; undefined while no account is linked. */
  readonly changing: Fields | undefined;
}

type RootChange = Partial<Pick<Root, 'number' | 'ratchets' | 'changing'>>;

const NO_ROOT: Root = { version: 0, epoch: 0, number: 0, ratchets: 0, changing: undefined };

interface CredentialsDependencies extends Pick<Surroundings, 'clock'> {
  readonly items: SessionItems;
  readonly seal: ItemSeal;
  /** Called when a write that no caller waits for has failed. */
  readonly onFailure: (error: unknown) => void;
}

export class Credentials {
  readonly #dependencies: CredentialsDependencies;
  readonly #mutex = new KeyedMutex();
  #root: Root = NO_ROOT;
  #fixed: Fields | undefined;
  #fixedVersion = 0;
  /** Whether a write of the root failed: it may have been taken all the same, now or later. */
  #isUnsure = false;
  #waiting: { readonly changing: Fields; readonly timer: AbortController } | undefined;

  constructor(dependencies: CredentialsDependencies) {
    this.#dependencies = dependencies;
  }

  /** Reads both items. Throws when they cannot be read. A connection without a root was never paired. */
  async load(): Promise<void> {
    const { items, seal } = this.#dependencies;
    const item = (await items.read([CREDENTIALS_KEY])).get(CREDENTIALS_KEY);
    this.#isUnsure = false;
    if (item === undefined) {
      if (this.#root.version > 0) throw new Error('the credentials have disappeared from the store');
      return;
    }
    await seal.use(item.attributes['wrappedKey'] as Uint8Array);
    const value = seal.open(item, decodeValue) as Pick<Root, 'number' | 'ratchets' | 'changing'>;
    const { number, ratchets, changing } = value;
    if (item.version < this.#root.version) {
      // Somebody has put an old copy back. The copy in memory is newer; the next write mends the item.
      this.#root = { ...this.#root, version: item.version, epoch: item.epoch };
      return;
    }
    this.#root = { version: item.version, epoch: item.epoch, number, ratchets, changing };
    if (changing === undefined) return;
    const fixed = (await items.read([accountKey(number)])).get(accountKey(number));
    if (fixed === undefined) throw new Error('half of the credentials is missing');
    this.#fixed = seal.open(fixed, decodeValue) as Fields;
    this.#fixedVersion = fixed.version;
  }

  get isPaired(): boolean {
    return this.#root.changing !== undefined;
  }

  /** A copy of the stored credentials, or undefined when no account is linked. */
  get value(): unknown {
    if (this.#root.changing === undefined) return undefined;
    return copyValue({ ...this.#fixed, ...this.#root.changing, ...this.#waiting?.changing });
  }

  /** The prefix of the sort keys of the account's keys, or of its ratchets. */
  prefix(scope: 'account' | 'ratchets'): string {
    const { number, ratchets } = this.#root;
    return scope === 'account' ? accountPrefix(number) : `C${padded(number)}R${padded(ratchets)}#`;
  }

  /**
   * Puts this owner's epoch on the root, which is made if there is none. It is written each time, also when it has the
   * epoch already: an owner that does not know yet that it has lost the shard must not open a socket.
   */
  raiseEpoch(): Promise<void> {
    return this.#inTurn(() => this.#writeRoot({}));
  }

  /** Stores the credentials of a finished pairing under a new number. */
  storeNew(credentials: unknown): Promise<void> {
    const { fixed, changing } = split(credentials);
    return this.#inTurn(async () => {
      if (this.#root.version === 0) await this.#writeRoot({});
      const number = this.#root.number + 1;
      const { items } = this.#dependencies;
      // A pairing that died before its root was written may have left an account item.
      const left = (await items.read([accountKey(number)])).get(accountKey(number));
      await this.#writeFixed(number, left?.version ?? 0, fixed);
      await this.#writeRoot({ number, ratchets: 0, changing });
    });
  }

  /**
   * Stores a change of the present credentials; fields that WhatsApp gives again anyway may wait half a minute. Does
   * nothing when the credentials were retired meanwhile.
   */
  save(credentials: unknown): Promise<void> {
    const { fixed, changing } = split(credentials);
    return this.#inTurn(async () => {
      const before = this.#root.changing;
      if (before === undefined) return;
      const { number } = this.#root;
      if (!isSameValue(fixed, this.#fixed)) await this.#writeFixed(number, this.#fixedVersion, fixed);
      const changed = changedFields(before, changing);
      if (changed.length === 0) return;
      if (changed.every((field) => COSMETIC.has(field))) this.#wait(changing);
      else await this.#writeRoot({ changing });
    });
  }

  /**
   * Retires the credentials of an account that is gone for good: they are kept, sealed, for 30 days, and used no more.
   */
  retire(): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.isPaired) return;
      const { items, seal, clock } = this.#dependencies;
      const ttl = Math.floor(clock.nowMs() / 1_000) + RETIRED_SECONDS;
      const prefix = accountPrefix(this.#root.number);
      const sk = `${prefix}RETIRED`;
      const version = (await items.read([sk])).get(sk)?.version ?? 0;
      const body = seal.seal(sk, version + 1, encodeValue({ credentials: this.value }));
      await items.writeHard(sk, version, body, { ttl });
      const { number } = this.#root;
      await this.#writeRoot({ changing: undefined });
      this.#fixed = undefined;
      await items.expire(`C${padded(number)}`, ttl);
    });
  }

  /**
   * Leaves all ratchets behind. The time gives a number that was never used, also when the root itself was put back.
   */
  dropRatchets(): Promise<void> {
    return this.#inTurn(() => {
      const seconds = Math.floor(this.#dependencies.clock.nowMs() / 1_000);
      return this.#writeRoot({ ratchets: Math.max(this.#root.ratchets + 1, seconds) });
    });
  }

  /** Writes the changes that wait. */
  flush(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#waiting !== undefined) await this.#writeRoot({ changing: this.#waiting.changing });
    });
  }

  /** Forgets the changes that wait. */
  abandon(): void {
    this.#waiting?.timer.abort();
    this.#waiting = undefined;
  }

  #wait(changing: Fields): void {
    const timer = this.#waiting?.timer ?? new AbortController();
    const isFirst = this.#waiting === undefined;
    this.#waiting = { changing, timer };
    if (!isFirst) return;
    const { clock, onFailure } = this.#dependencies;
    void clock.sleep(COSMETIC_BEHIND_MS, timer.signal).then(async () => {
      if (!timer.signal.aborted) await this.flush().catch(onFailure);
    });
  }

  /** Runs work one at a time, and never on a root that may be old. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    return this.#mutex.run(CREDENTIALS_KEY, async () => {
      if (this.#isUnsure) await this.load();
      await work();
    });
  }

  async #writeRoot(change: RootChange): Promise<void> {
    const { items, seal } = this.#dependencies;
    const { version, number, ratchets } = { ...this.#root, ...change };
    const changing = 'changing' in change ? change.changing : (this.#waiting?.changing ?? this.#root.changing);
    const wrappedKey = await seal.wrappedKey();
    const body = seal.seal(CREDENTIALS_KEY, version + 1, encodeValue({ number, ratchets, changing }));
    this.#isUnsure = true;
    await items.writeHard(CREDENTIALS_KEY, version, body, { wrappedKey });
    this.#root = { version: version + 1, epoch: items.epoch, number, ratchets, changing };
    this.#isUnsure = false;
    this.abandon();
  }

  async #writeFixed(number: number, version: number, fixed: Fields): Promise<void> {
    const { items, seal } = this.#dependencies;
    const sk = accountKey(number);
    // The first pairing of a connection makes its data key here, too.
    await seal.wrappedKey();
    this.#isUnsure = true;
    await items.writeHard(sk, version, seal.seal(sk, version + 1, encodeValue(fixed)));
    this.#isUnsure = false;
    this.#fixed = fixed;
    this.#fixedVersion = version + 1;
  }
}

function split(credentials: unknown): { readonly fixed: Fields; readonly changing: Fields } {
  const fields = Object.entries(copyValue(credentials) as Fields);
  return {
    fixed: Object.fromEntries(fields.filter(([name]) => FIXED.has(name))),
    changing: Object.fromEntries(fields.filter(([name]) => !FIXED.has(name))),
  };
}

function changedFields(before: Fields, after: Fields): readonly string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => !isSameValue(before[name], after[name]));
}

function accountPrefix(number: number): string {
  return `C${padded(number)}#`;
}

function accountKey(number: number): string {
  return `${accountPrefix(number)}ACCOUNT`;
}

function padded(number: number): string {
  return String(number).padStart(4, '0');
}
