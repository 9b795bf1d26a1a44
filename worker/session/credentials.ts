import { copyValue, decodeValue, encodeValue, isSameValue } from './codec.ts';
import type { ItemSeal } from './itemSeal.ts';
import { KeyedMutex } from './keyedMutex.ts';
import { StaleItemError } from './sessionErrors.ts';
import type { HardWrite, SessionItems } from './sessionItems.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';

/**
 * The credentials of one connection, in two items. The root is small and holds the fields that change: the number of
 * the present credentials, the number of their ratchets, counters. It exists before the first pairing, so that a
 * pairing is an update and an older owner's late write of it is refused. The account item holds the fields that a
 * pairing fixes once, under the number of the credentials; it is written with the root that names it. Keys carry both
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
/**
 * How long a write of the root stands for the raise of the epoch before the next socket, in milliseconds: shorter than
 * any worker can be without a heartbeat before its gate closes, and no other can claim before that.
 */
const RAISED_FOR_MS = 10_000;

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
  /** When a write was sent that stands for the next raise of the epoch, on the monotonic clock. */
  #raisedAtMs: number | undefined;

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
   * Puts this owner's epoch on the root, which is made if there is none. It is written before each socket, also when it
   * has the epoch already: an owner that does not know yet that it has lost the shard must not open one. A write of a
   * moment ago stands for it once: the pairing's own before the login that follows on it, or one ahead.
   */
  raiseEpoch(): Promise<void> {
    return this.#inTurn(async () => {
      const sinceMs = this.#raisedAtMs;
      this.#raisedAtMs = undefined;
      if (sinceMs !== undefined && this.#dependencies.clock.monotonicMs() - sinceMs < RAISED_FOR_MS) return;
      await this.#writeRoot({});
    });
  }

  /** Raises the epoch for a socket that is about to wait for its turn. */
  raiseAhead(): Promise<void> {
    return this.#inTurn(async () => {
      const sentAtMs = this.#dependencies.clock.monotonicMs();
      await this.#writeRoot({});
      this.#raisedAtMs = sentAtMs;
    });
  }

  /**
   * Stores the credentials of a finished pairing under a new number, both items or none: a phone waits meanwhile.
   * Returns the number, under which no key is stored yet.
   */
  storeNew(credentials: unknown): Promise<number> {
    const { fixed, changing } = split(credentials);
    return this.#inTurn(async () => {
      if (this.#root.version === 0) await this.#writeRoot({});
      const number = this.#root.number + 1;
      const change = { number, ratchets: 0, changing };
      const sentAtMs = this.#dependencies.clock.monotonicMs();
      await this.#writeNew(change, 0, fixed).catch(async (error: unknown) => {
        if (!(error instanceof StaleItemError)) throw error;
        // A root that was put back leaves the account item of a pairing that came after it.
        await this.load();
        const left = (await this.#dependencies.items.read([accountKey(number)])).get(accountKey(number));
        if (left === undefined || this.#root.number >= number) throw error;
        await this.#writeNew(change, left.version, fixed);
      });
      this.#raisedAtMs = sentAtMs;
      return number;
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
  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#mutex
      .run(CREDENTIALS_KEY, async () => {
        if (this.#isUnsure) await this.load();
        return work();
      })
      .catch((error: unknown) => {
        // It may have been refused to an owner that has lost the shard.
        this.#raisedAtMs = undefined;
        throw error;
      });
  }

  async #writeRoot(change: RootChange): Promise<void> {
    const { write, after } = await this.#rootWrite(change);
    this.#isUnsure = true;
    await this.#dependencies.items.writeHard(write.sk, write.readVersion, write.body, write.attributes);
    this.#rootWritten(after);
  }

  /** Writes root and account item together. */
  async #writeNew(change: RootChange & { readonly number: number }, accountVersion: number, fixed: Fields) {
    const { items, seal } = this.#dependencies;
    const { write, after } = await this.#rootWrite(change);
    const sk = accountKey(change.number);
    const body = seal.seal(sk, accountVersion + 1, encodeValue(fixed));
    this.#isUnsure = true;
    await items.writeHardTogether([{ sk, readVersion: accountVersion, body }, write]);
    this.#fixed = fixed;
    this.#fixedVersion = accountVersion + 1;
    this.#rootWritten(after);
  }

  async #rootWrite(change: RootChange) {
    const { items, seal } = this.#dependencies;
    const { version, number, ratchets } = { ...this.#root, ...change };
    const changing = 'changing' in change ? change.changing : (this.#waiting?.changing ?? this.#root.changing);
    const wrappedKey = await seal.wrappedKey();
    const body = seal.seal(CREDENTIALS_KEY, version + 1, encodeValue({ number, ratchets, changing }));
    const write: HardWrite = { sk: CREDENTIALS_KEY, readVersion: version, body, attributes: { wrappedKey } };
    const after: Root = { version: version + 1, epoch: items.epoch, number, ratchets, changing };
    return { write, after };
  }

  #rootWritten(after: Root): void {
    this.#root = after;
    this.#isUnsure = false;
    this.abandon();
  }

  async #writeFixed(number: number, version: number, fixed: Fields): Promise<void> {
    const { items, seal } = this.#dependencies;
    const sk = accountKey(number);
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

/** Tells the items of an account, its ratchets included, by their sort key. */
export function accountOf(number: number): (sk: string) => boolean {
  const [own, ratchets] = [accountPrefix(number), `C${padded(number)}R`];
  return (sk) => sk.startsWith(own) || sk.startsWith(ratchets);
}

function accountKey(number: number): string {
  return `${accountPrefix(number)}ACCOUNT`;
}

function padded(number: number): string {
  return String(number).padStart(4, '0');
}
