import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { EndpointId } from '../../shared/kernel/id.ts';
import type { Attempt } from '../../shared/webhook/attempt.ts';
import { recordAttempts } from '../../shared/webhook/attemptItems.ts';

type NoteDependencies = Pick<Surroundings, 'clock' | 'logger'> & Parameters<typeof recordAttempts>[0];

/** How long attempts wait for those of the next invocations, in milliseconds: less than whoever looks at them notices. */
const GATHER_MS = 200;
/** The number of attempts that do not wait for more: of so many an item has about three write units. */
const ATTEMPTS = 50;

/**
 * Keeps attempts, those to one endpoint in one item. In a process that is frozen after each invocation they are kept
 * before it ends; in one that runs on, those of the invocations of a fifth of a second are kept together.
 *
 * An attempt is over whether or not it is kept, and each has its line in the log.
 *
 * - The process dies: the attempts that wait are not kept, as those of an invocation that dies.
 * - A write fails or never returns: it ends at the deadline of its client, and its attempts are not kept.
 * - Two are written at once: each has an item of its own.
 */
export class AttemptNotes {
  readonly #dependencies: NoteDependencies;
  readonly #isFrozen: boolean;
  /** What waits, by endpoint; each is taken away when its time is over or it is full. */
  readonly #waiting = new Map<EndpointId, readonly Attempt[]>();
  readonly #underWay = new Set<Promise<void>>();
  readonly #ending = new AbortController();

  /** @param isFrozen whether nothing happens in this process between two invocations */
  constructor(dependencies: NoteDependencies, isFrozen: boolean) {
    this.#dependencies = dependencies;
    this.#isFrozen = isFrozen;
  }

  /** Keeps attempts to one endpoint, at once or soon. Never rejects. */
  async note(endpointId: EndpointId, attempts: readonly Attempt[]): Promise<void> {
    if (attempts.length === 0) return;
    if (this.#isFrozen || this.#ending.signal.aborted) return this.#write(endpointId, attempts);
    const waiting = this.#waiting.get(endpointId);
    const all = [...(waiting ?? []), ...attempts];
    this.#waiting.set(endpointId, all);
    if (all.length >= ATTEMPTS) return this.#writeWaiting(endpointId);
    if (waiting !== undefined) return undefined;
    const soon = this.#dependencies.clock.sleep(GATHER_MS, this.#ending.signal);
    const written = soon.then(() => this.#writeWaiting(endpointId)).finally(() => this.#underWay.delete(written));
    this.#underWay.add(written);
    return undefined;
  }

  /** Resolves when all attempts so far are kept. What comes after that is kept at once. */
  async end(): Promise<void> {
    this.#ending.abort(ENDED);
    await Promise.all(this.#underWay);
  }

  async #writeWaiting(endpointId: EndpointId): Promise<void> {
    const attempts = this.#waiting.get(endpointId) ?? [];
    this.#waiting.delete(endpointId);
    await this.#write(endpointId, attempts);
  }

  async #write(endpointId: EndpointId, attempts: readonly Attempt[]): Promise<void> {
    const { logger } = this.#dependencies;
    await recordAttempts(this.#dependencies, endpointId, attempts).catch((error: unknown) => {
      logger.warn('attempts could not be noted', { endpointId, count: attempts.length, error });
    });
  }
}

const ENDED = 'ended';
