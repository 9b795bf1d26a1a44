import { KeyedMutex } from '../../session/keyedMutex.ts';

/**
 * One lock for each account and address. It knows since when each account's locks are held: work that never ends holds
 * up the rest.
 */
export class AddressLocks {
  readonly #mutex = new KeyedMutex();
  /** When each held lock was taken, by account; accounts without one take no memory. */
  readonly #held = new Map<string, Map<string, number>>();
  readonly #monotonicMs: () => number;

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  /** Runs `work` when it has the lock of the address. */
  run<Result>(owner: string, address: string, work: () => Promise<Result>): Promise<Result> {
    return this.#mutex.run(`${owner}/${address}`, async () => {
      this.#take(owner, address);
      try {
        return await work();
      } finally {
        this.#giveBack(owner, address);
      }
    });
  }

  /** Since when the lock of this account that has been held longest is held; undefined when none is. */
  oldestSinceMs(owner: string): number | undefined {
    const held = this.#held.get(owner);
    return held === undefined ? undefined : Math.min(...held.values());
  }

  #take(owner: string, address: string): void {
    const held = this.#held.get(owner) ?? new Map<string, number>();
    this.#held.set(owner, held);
    held.set(address, this.#monotonicMs());
  }

  #giveBack(owner: string, address: string): void {
    const held = this.#held.get(owner);
    held?.delete(address);
    if (held?.size === 0) this.#held.delete(owner);
  }
}

/**
 * The locks of all connections of this process: two sockets of one account must not be at one ratchet, whatever their
 * generation.
 */
export const addressLocks = new AddressLocks(() => performance.now());
