import { LRUCache } from 'lru-cache';
import type { Surroundings } from '../../../shared/platform/surroundings.ts';

/** How long after a reason for one a new session is welcome, in milliseconds. */
const WELCOME_MS = 60_000;
/**
 * The number of people at once, for one socket. A person who is forgotten in a storm asks again, and is welcome then.
 */
const MOST_WELCOME = 1_000;
const DAY_MS = 24 * 60 * 60 * 1_000;

/**
 * When each session of the process was replaced last. The map is process-wide, because the loop that it shows goes on
 * over reconnects.
 */
const renewedAtMs = new LRUCache<string, number>({ max: 5_000 });

export interface SessionRenewalsOptions extends Pick<Surroundings, 'metrics'> {
  /** The name that tells the accounts of a process apart. */
  readonly owner: string;
  readonly monotonicMs: () => number;
}

/**
 * Decides when a Signal session may be replaced by a new one, and counts how often that happens. Healthy systems hardly
 * ever do it.
 */
export class SessionRenewals {
  readonly #options: SessionRenewalsOptions;
  /**
   * Until when people are welcome. Made with the first of them, as most sockets never have one, and an empty cache
   * takes kilobytes.
   */
  #welcomeUntilMs: LRUCache<string, number> | undefined;

  constructor(options: SessionRenewalsOptions) {
    this.#options = options;
  }

  /** Welcomes a new session with a person's devices for a while, as the person could not read us, or has new keys. */
  welcome(deviceJid: string): void {
    const nowMs = this.#options.monotonicMs();
    // The cache counts by size and not by number: a number would reserve room for all entries at once.
    this.#welcomeUntilMs ??= new LRUCache({ maxSize: MOST_WELCOME, sizeCalculation: () => 1 });
    // Expired welcomes are removed at the first one after them, oldest first, so that a storm costs no search.
    for (const user of this.#welcomeUntilMs.rkeys()) {
      if ((this.#welcomeUntilMs.peek(user) ?? 0) >= nowMs) break;
      this.#welcomeUntilMs.delete(user);
    }
    this.#welcomeUntilMs.set(userOf(deviceJid), nowMs + WELCOME_MS);
  }

  isWelcome(deviceJid: string): boolean {
    const untilMs = this.#welcomeUntilMs?.peek(userOf(deviceJid));
    return untilMs !== undefined && untilMs >= this.#options.monotonicMs();
  }

  /**
   * Counts that a session was replaced.
   * @param address the address that the session is kept under
   */
  count(address: string): void {
    const { owner, monotonicMs, metrics } = this.#options;
    const key = `${owner}/${address}`;
    const lastMs = renewedAtMs.get(key);
    const nowMs = monotonicMs();
    renewedAtMs.set(key, nowMs);
    const isRepeated = lastMs !== undefined && nowMs - lastMs < DAY_MS;
    metrics.count('SessionsRenewed', { sinceLast: isRepeated ? 'under_a_day' : 'over_a_day' });
  }
}

/** The user part of an address, by number or LID. */
function userOf(jid: string): string {
  return jid.split('@')[0]?.split(':')[0] ?? jid;
}
