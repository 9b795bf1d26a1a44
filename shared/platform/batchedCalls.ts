import { Stop, type Clock } from '../kernel/clock.ts';

/**
 * Collects what many callers send one by one into calls that carry several entries each, as SQS's batch calls do.
 *
 * While fewer than `callsAtOnce` calls are out an entry leaves at once; what comes meanwhile leaves together with the
 * next call, so the calls grow fuller as the load grows and nobody waits for a batch to fill. Where entries come quickly
 * one after the other an entry also waits a moment for the next ones ({@link lingerMs}).
 *
 * - The process dies here: the entries that wait were promised to nobody, and their callers die with them. Of a call that
 *   is out any part may have been accepted.
 * - A call never returns: it holds up only its own entries, each of which its caller gives up with its signal. After
 *   `slowMs` such a call counts no longer among those that the others wait for, up to `callsMost` calls in all; each call
 *   ends with the deadline of its client, or when all its entries are given up.
 * - A call is refused as a whole: each of its entries gets that error. One that is refused for its content is made again
 *   entry by entry, so that no entry suffers for another.
 */
export interface BatchRules {
  /** The greatest number of entries, and of bytes, in one call. */
  readonly entries: number;
  readonly bytes: number;
  /** The number of calls out at which an entry waits for the next one; and the number in all, slow ones included. */
  readonly callsAtOnce: number;
  readonly callsMost: number;
  /** How long a call counts among those that others wait for, in milliseconds. */
  readonly slowMs: number;
  /** The longest time that an entry waits for others, in milliseconds; 0 for none. */
  readonly lingerMs: number;
}

export interface BatchedCallsDependencies<Entry> {
  readonly clock: Pick<Clock, 'monotonicMs' | 'sleep'>;
  readonly rules: BatchRules;
  /**
   * Makes one call. Resolves to the failure of each entry that was refused, by its place in the call; rejects when the
   * call failed as a whole. The signal aborts when nobody waits for any of the entries any more.
   */
  readonly call: (entries: readonly Entry[], signal: AbortSignal) => Promise<ReadonlyMap<number, Error>>;
  /** Whether a call that failed as a whole was refused for the content of an entry, or for its size. */
  readonly isRefused: (error: unknown) => boolean;
}

interface Held<Entry> {
  readonly entry: Entry;
  readonly bytes: number;
  readonly settle: (failure: { readonly error: unknown } | undefined) => void;
  /** Whether the caller has given it up. */
  isGivenUp: boolean;
  /** Called when the caller gives it up while it is in a call. */
  onGivenUp: () => void;
}

export class BatchedCalls<Entry> {
  readonly #dependencies: BatchedCallsDependencies<Entry>;
  #waiting: Held<Entry>[] = [];
  #quickOut = 0;
  #out = 0;
  #gapMs = Infinity;
  #lastAtMs: number | undefined;
  #lastStream: string | undefined;
  #lingers = false;

  constructor(dependencies: BatchedCallsDependencies<Entry>) {
    this.#dependencies = dependencies;
  }

  /**
   * Sends one entry. Resolves when a call has carried it; rejects with the entry's own failure, with the failure of its
   * call, or with the signal's reason when that aborts first: a call that is out may still take effect then.
   * @param stream the name of a caller that sends its next entry only when this one is carried: the next cannot share a
   * call with this one, so it is none to wait for
   */
  send(entry: Entry, bytes: number, signal?: AbortSignal, stream?: string): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason as Error);
        return;
      }
      const giveUp = (): void => {
        held.isGivenUp = true;
        this.#waiting = this.#waiting.filter((other) => other !== held);
        held.onGivenUp();
        reject(signal?.reason as Error);
      };
      const held: Held<Entry> = {
        entry,
        bytes,
        isGivenUp: false,
        onGivenUp: () => undefined,
        settle: (failure) => {
          signal?.removeEventListener('abort', giveUp);
          if (failure === undefined) resolve();
          else reject(failure.error);
        },
      };
      signal?.addEventListener('abort', giveUp, { once: true });
      this.#waiting.push(held);
      this.#noteArrival(stream);
      this.#leaveSoon();
    });
  }

  #noteArrival(stream: string | undefined): void {
    const nowMs = this.#dependencies.clock.monotonicMs();
    const isAlone = this.#lastAtMs === undefined || (stream !== undefined && stream === this.#lastStream);
    this.#gapMs = nextGapMs(this.#gapMs, isAlone ? Infinity : nowMs - (this.#lastAtMs ?? nowMs));
    this.#lastAtMs = nowMs;
    this.#lastStream = stream;
  }

  #leaveSoon(): void {
    const { clock, rules } = this.#dependencies;
    const waitMs = this.#waiting.length >= rules.entries ? 0 : lingerMs(rules.lingerMs, this.#gapMs);
    if (waitMs === 0 || !this.#hasTurn()) {
      this.#leave();
      return;
    }
    if (this.#lingers) return;
    this.#lingers = true;
    void clock.sleep(waitMs).then(() => {
      this.#lingers = false;
      this.#leave();
    });
  }

  #hasTurn(): boolean {
    const { callsAtOnce, callsMost } = this.#dependencies.rules;
    return this.#quickOut < callsAtOnce && this.#out < callsMost;
  }

  #leave(): void {
    while (this.#waiting.length > 0 && this.#hasTurn()) void this.#carry(this.#take());
  }

  /** The next entries, in the order in which they came: as many as one call may carry, and always one. */
  #take(): readonly Held<Entry>[] {
    const { rules } = this.#dependencies;
    let count = 0;
    let bytes = 0;
    for (const held of this.#waiting) {
      bytes += held.bytes;
      if (count === rules.entries || (count > 0 && bytes > rules.bytes)) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #carry(taken: readonly Held<Entry>[]): Promise<void> {
    const { clock, rules } = this.#dependencies;
    const over = new Stop();
    let isQuick = true;
    const endQuick = (): void => {
      if (!isQuick) return;
      isQuick = false;
      this.#quickOut -= 1;
      // What waits for others waits until its time is over, also where a call ends meanwhile.
      if (!this.#lingers) this.#leave();
    };
    this.#quickOut += 1;
    this.#out += 1;
    void clock.sleep(rules.slowMs, over).then(endQuick);
    await this.#callFor(taken);
    this.#out -= 1;
    over.abort();
    endQuick();
  }

  /** Makes the call of these entries and settles each of them. Never rejects. */
  async #callFor(taken: readonly Held<Entry>[]): Promise<void> {
    const { call, isRefused } = this.#dependencies;
    const wanted = taken.filter(({ isGivenUp }) => !isGivenUp);
    if (wanted.length === 0) return;
    const nobodyWaits = new AbortController();
    for (const held of wanted) {
      held.onGivenUp = () => {
        if (wanted.every(({ isGivenUp }) => isGivenUp)) nobodyWaits.abort(GIVEN_UP);
      };
    }
    try {
      const entries = wanted.map(({ entry }) => entry);
      const failures = await orGivenUp(call(entries, nobodyWaits.signal), nobodyWaits.signal);
      for (const [place, { settle }] of wanted.entries()) {
        const failure = failures.get(place);
        settle(failure === undefined ? undefined : { error: failure });
      }
    } catch (error) {
      if (wanted.length === 1 || !isRefused(error)) for (const { settle } of wanted) settle({ error });
      else for (const held of wanted) await this.#callFor([held]);
    }
  }
}

const GIVEN_UP = 'nobody waits for the call';

/** The call, or a rejection as soon as nobody waits for it, also when the client does not heed the signal. */
function orGivenUp<Result>(call: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error(GIVEN_UP)), { once: true });
    call.then(resolve, reject);
  });
}

/** The weight of the newest gap in the mean of gaps. */
const NEWEST_WEIGHT = 0.2;
/** A gap counts as at most this, in milliseconds, so that traffic that begins again is noticed within a few entries. */
const LONGEST_GAP_MS = 1_000;

/** The mean time between entries, of which the newer ones weigh more, in milliseconds. */
export function nextGapMs(meanMs: number, newestMs: number): number {
  const mean = Math.min(meanMs, LONGEST_GAP_MS);
  return mean + NEWEST_WEIGHT * (Math.min(newestMs, LONGEST_GAP_MS) - mean);
}

/** A wait is worth its time where it meets another entry every other time. */
const GAPS_WORTH_A_WAIT = 2;

/**
 * How long an entry waits for others, in milliseconds: as long as it may where another one is likely to come within that
 * time, and else not at all, since it would only be late.
 */
export function lingerMs(longestMs: number, gapMs: number): number {
  return gapMs <= GAPS_WORTH_A_WAIT * longestMs ? longestMs : 0;
}
