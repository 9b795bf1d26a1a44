import { setImmediate as nextTurn } from 'node:timers/promises';
import { backoffMs } from '../../shared/kernel/backoff.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';

export interface LatestWritesDependencies extends Pick<Surroundings, 'clock' | 'random' | 'logger'> {}

const RETRY = { firstMs: 500, capMs: 30_000 } as const;

/**
 * Writes that must happen in the end, one at a time and in order, without holding up what caused them. A failed write is
 * tried again until it succeeds; a newer write with the same name takes the place of an older one, so at most one per
 * name waits. What is written is a level ("the status is now …"), never a step. The first write begins when what caused
 * it has said all that it has to say, so that it can be said together.
 */
export class LatestWrites {
  readonly #dependencies: LatestWritesDependencies;
  readonly #waiting = new Map<string, () => Promise<void>>();
  readonly #abandoned = new AbortController();
  #running: Promise<void> | undefined;

  constructor(dependencies: LatestWritesDependencies) {
    this.#dependencies = dependencies;
  }

  /** Adds a write, in the place of one of its name or behind those that wait. After `abandon` it is dropped. */
  add(name: string, write: () => Promise<void>): void {
    if (this.#abandoned.signal.aborted) return;
    this.#waiting.set(name, write);
    this.#running ??= this.#run();
  }

  /** Waits until nothing is left to write, at most `deadlineMs`. Returns whether all was written. */
  async flush(deadlineMs: number): Promise<boolean> {
    const late = new AbortController();
    await Promise.race([this.#running, this.#dependencies.clock.sleep(deadlineMs, late.signal)]);
    late.abort();
    return this.#running === undefined;
  }

  /** Ends everything: nothing more is written. A write in flight ends on its own and is not tried again. */
  abandon(): void {
    this.#abandoned.abort();
    this.#waiting.clear();
  }

  async #run(): Promise<void> {
    const { clock, random, logger } = this.#dependencies;
    let failures = 0;
    await nextTurn();
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const [name, write] = next;
      try {
        await write();
        failures = 0;
        // A newer write of this name may have come meanwhile; that one stays.
        if (this.#waiting.get(name) === write) this.#waiting.delete(name);
      } catch (error) {
        logger.warn('write for a connection failed', { operation: name, attempt: failures + 1, error });
        await clock.sleep(backoffMs(RETRY, failures, random.unit()), this.#abandoned.signal);
        failures += 1;
      }
    }
    this.#running = undefined;
  }

  #next(): readonly [string, () => Promise<void>] | undefined {
    const [first] = this.#waiting;
    return first;
  }
}
