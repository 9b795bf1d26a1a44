import { LRUCache } from 'lru-cache';
import type { Surroundings } from '../../../shared/platform/surroundings.ts';

/** How long after a reason for one a new session is welcome. */
const WELCOME_MS = 60_000;
/** People at once, for one socket. Whoever is forgotten in a storm asks again, and is welcome then. */
const MOST_WELCOME = 1_000;
const DAY_MS = 24 * 60 * 60 * 1_000;

/** When each session of the process was replaced last. Process-wide, because the loop to be seen goes on over reconnects. */
const renewedAtMs = new LRUCache<string, number>({ max: 5_000 });

export interface SessionRenewalsOptions extends Pick<Surroundings, 'metrics'> {
  /** Tells the accounts of a process apart. */
  readonly owner: string;
  readonly monotonicMs: () => number;
}

/** When a Signal session may be replaced by a new one, and how often that happens. Healthy systems hardly ever do it. */
export class SessionRenewals {
  readonly #options: SessionRenewalsOptions;
  /** Made with the first of them: most sockets never have one, and an empty cache takes kilobytes. */
  #welcomeUntilMs: LRUCache<string, number> | undefined;

  constructor(options: SessionRenewalsOptions) {
    this.#options = options;
  }

  /** Somebody could not read us, or has new keys: a new session with their devices is welcome for a while. */
  welcome(deviceJid: string): void {
    const nowMs = this.#options.monotonicMs();
    // Counted by size and not by number: a number would reserve room for all of them at once.
    this.#welcomeUntilMs ??= new LRUCache({ maxSize: MOST_WELCOME, sizeCalculation: () => 1 });
    // Those that are over go with the first welcome after them, oldest first, so that a storm costs no search.
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

  /** A session was replaced. @param address the one that the session is kept under */
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
