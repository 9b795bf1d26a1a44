import type { BinaryNode } from '@whiskeysockets/baileys';
import { backoffMs } from '../../../shared/kernel/backoff.ts';
import { TimeoutError, withDeadline } from '../../../shared/kernel/deadline.ts';
import { deadlines } from '../../../shared/kernel/deadlines.ts';
import type { Surroundings } from '../../../shared/platform/surroundings.ts';
import { isFinal, refusalIn } from '../port/lookUpError.ts';
import { collections, isFollowed, type CollectionName } from './collectionState.ts';
import type { Collections, StateTrouble, Synced, Written } from './collections.ts';
import type { Mutation } from './readPatches.ts';
import type { StateChange } from './writePatch.ts';

export interface AppStateParts extends Pick<Surroundings, 'clock' | 'random' | 'logger' | 'metrics'> {
  readonly collections: Pick<Collections, 'sync' | 'write'>;
  /** Acknowledges a stanza. */
  readonly acknowledge: (stanza: BinaryNode) => Promise<void>;
  /** Asks the phone for a key, by its id in base64. It gives keys in a message, whenever it is online. */
  readonly requestKey: (keyId: string) => Promise<void>;
  /** Resolves when the offline queue is drained. */
  readonly caughtUp: Promise<void>;
  /** Aborts when the socket has closed. */
  readonly signal: AbortSignal;
}

/** Why a try ended, for the metric: `unanswered` where WhatsApp, the network or the store did not answer. */
type End = StateTrouble['end'] | 'synced' | 'unanswered';

/** How often a collection is asked for again before its notice is left for the next login. */
const MOST_TRIES = 4;
const RETRY = { firstMs: 5_000, capMs: 60_000 } as const;
/** The number of notices whose acknowledgement waits; one more is acknowledged at once, as the others stand for it. */
const MOST_WAITING = 200;
/** The number of keys that one socket asks the phone for. An account has a new one about once a month. */
const MOST_REQUESTED = 20;
/** How much earlier than its notice a change may have been made, by clocks that differ, in milliseconds. */
const EARLIER_MS = 60_000;

/**
 * The state that the devices of the account share, on one socket (docs/whatsapp.md, "App state"). WhatsApp tells by a notice
 * that a collection has changed. The notice is taken out of the order of stanzas at once, so that no message waits, and is
 * acknowledged when what is new is told: whoever dies before that is told again at the next login. Where asking again is of no
 * use, it is acknowledged all the same. Everything about app state runs in one line, one after the other.
 */
export class AppState {
  readonly #parts: AppStateParts;
  readonly #changed = new Set<CollectionName>();
  #notices: BinaryNode[] = [];
  #sinceMs = Infinity;
  /** Since when changes could not be read for want of a key. */
  #lackedSinceMs = Infinity;
  /** The keys that this socket has asked the phone for. */
  readonly #requested = new Set<string>();
  /** Since when changes were heard of that are not told yet. */
  #untoldSinceMs = Infinity;
  #isFollowing = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: AppStateParts) {
    this.#parts = parts;
  }

  /** Takes a notice over. Never throws, never waits. */
  notice(stanza: BinaryNode): 'taken' {
    const named = (Array.isArray(stanza.content) ? stanza.content : []).filter(({ tag }) => tag === 'collection');
    const followed = named.map(({ attrs }) => attrs['name']).filter(isFollowed);
    if (followed.length === 0 || this.#notices.length >= MOST_WAITING) this.#acknowledge([stanza]);
    else this.#notices.push(stanza);
    const toldMs = Number(stanza.attrs['t'] ?? 0) * 1_000;
    const atMs = Number.isFinite(toldMs) && toldMs > 0 ? toldMs : this.#parts.clock.nowMs();
    this.#follow(followed, atMs - EARLIER_MS);
    return 'taken';
  }

  /** The phone has given this device keys: what could not be read before, or was never read, can be now. */
  keysCame(): void {
    this.#follow(collections, Math.min(this.#lackedSinceMs, this.#parts.clock.nowMs()));
    this.#lackedSinceMs = Infinity;
  }

  /** Writes a change, in its turn. Rejects where WhatsApp does not answer, or the socket has closed. */
  async write(change: StateChange): Promise<Written> {
    const written = await this.#inTurn(() => this.#parts.collections.write(change, this.#tellSinceMs()));
    if (written.end === 'written') return written;
    if (written.end === 'untold') this.#parts.logger.warn('change of app state not told', { error: written.error });
    this.#count(written.end === 'overtaken' || written.end === 'untold' ? 'unanswered' : written.end);
    return written;
  }

  /**
   * Reads a whole collection, in its turn. Rejects where WhatsApp does not answer, or the socket has closed.
   * @param see called with each record
   */
  async look(name: CollectionName, see: (mutation: Mutation) => void): Promise<Synced> {
    const reading = { see, isWhole: true };
    const synced = await this.#inTurn(() => this.#parts.collections.sync(name, this.#tellSinceMs(), reading));
    this.#count(synced.end);
    return synced;
  }

  /** The time from which on changes are told where an action is the first to read a collection: before those that were heard of. */
  #tellSinceMs(): number {
    return Math.min(this.#untoldSinceMs, this.#parts.clock.nowMs() - EARLIER_MS);
  }

  #follow(names: readonly CollectionName[], sinceMs: number): void {
    if (names.length === 0) return;
    this.#untoldSinceMs = Math.min(this.#untoldSinceMs, sinceMs);
    for (const name of names) this.#changed.add(name);
    this.#sinceMs = Math.min(this.#sinceMs, sinceMs);
    if (this.#isFollowing) return;
    this.#isFollowing = true;
    void this.#followAll();
  }

  /** Follows all that has changed, until nothing has. Never rejects. A change that comes after its last look begins it anew. */
  async #followAll(): Promise<void> {
    try {
      await withDeadline('the end of the offline queue', deadlines.offlineQueue.ms, () => this.#parts.caughtUp);
      await this.#followChanged();
    } catch (error) {
      // The socket is not worth keeping, which is found elsewhere; what was told comes again on the next one.
      this.#parts.logger.warn('app state not followed', { error });
      this.#changed.clear();
    } finally {
      this.#isFollowing = false;
    }
  }

  async #followChanged(): Promise<void> {
    const { clock, random, signal, logger } = this.#parts;
    for (let failures = 0; this.#changed.size > 0 && !signal.aborted;) {
      const names = [...this.#changed];
      const notices = this.#notices;
      const sinceMs = this.#sinceMs;
      this.#changed.clear();
      this.#notices = [];
      this.#sinceMs = Infinity;
      const unanswered: CollectionName[] = [];
      for (const name of names) if ((await this.#sync(name, sinceMs)) === 'unanswered') unanswered.push(name);
      if (unanswered.length === 0) {
        failures = 0;
        if (this.#changed.size === 0) this.#untoldSinceMs = Infinity;
        this.#acknowledge(notices);
        continue;
      }
      failures += 1;
      if (signal.aborted) return;
      if (failures >= MOST_TRIES) {
        logger.warn('app state not followed: WhatsApp tells of it again at the next login', {
          collections: unanswered,
        });
        failures = 0;
        continue;
      }
      for (const name of unanswered) this.#changed.add(name);
      this.#notices = [...notices, ...this.#notices].slice(0, MOST_WAITING);
      this.#sinceMs = Math.min(this.#sinceMs, sinceMs);
      await clock.sleep(backoffMs(RETRY, failures - 1, random.unit()), signal);
    }
  }

  async #sync(name: CollectionName, sinceMs: number): Promise<End> {
    const { logger, signal } = this.#parts;
    const end = await this.#inTurn(async (): Promise<End> => {
      const synced = await this.#parts.collections.sync(name, sinceMs);
      if (synced.end === 'key_missing' && synced.keyId !== undefined) this.#requestKey(synced.keyId);
      return synced.end === 'refused' && !isFinal(synced.code) ? 'unanswered' : synced.end;
    }).catch((error: unknown): End => {
      if (!signal.aborted) logger.warn('app state not fetched', { collection: name, error });
      return isFinal(refusalIn(error)) ? 'refused' : 'unanswered';
    });
    if (end === 'key_missing') this.#lackedSinceMs = Math.min(this.#lackedSinceMs, sinceMs);
    this.#count(end);
    return end;
  }

  /** Asks the phone for a key once on each socket: it may be off for days, and the request waits for it at WhatsApp. */
  #requestKey(keyId: string): void {
    const { requestKey, logger } = this.#parts;
    if (this.#requested.has(keyId) || this.#requested.size >= MOST_REQUESTED) return;
    this.#requested.add(keyId);
    requestKey(keyId).catch((error: unknown) => logger.warn('phone not asked for a key of app state', { error }));
  }

  #count(end: End): void {
    if (end !== 'synced') this.#parts.metrics.count('AppStateFailed', { end });
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#turn.then(() => {
      if (this.#parts.signal.aborted) throw new TimeoutError('a turn on a socket that has closed', 0);
      return work();
    });
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /** A stanza that is not acknowledged comes again, and is followed once more. */
  #acknowledge(stanzas: readonly BinaryNode[]): void {
    const { acknowledge, logger, signal } = this.#parts;
    for (const stanza of stanzas) {
      acknowledge(stanza).catch((error: unknown) => {
        if (!signal.aborted) logger.warn('notice of app state not acknowledged', { error });
      });
    }
  }
}
