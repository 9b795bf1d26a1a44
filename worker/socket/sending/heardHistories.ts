import { Stop, type Clock } from '../../../shared/kernel/clock.ts';

/** The number of requests that are waited for at once; the oldest is given up for one more. */
const MOST_WAITED_FOR = 100;

/** The answers of the account's phone to requests for older messages, as they are recorded. */
export class HeardHistories {
  readonly #clock: Pick<Clock, 'sleep'>;
  readonly #waiting = new Map<string, () => void>();

  constructor(clock: Pick<Clock, 'sleep'>) {
    this.#clock = clock;
  }

  /** Takes note that an answer is recorded. */
  hear(requestId: string): void {
    this.#waiting.get(requestId)?.();
  }

  /** Waits for an answer. @param signal ends the wait, as the socket has closed */
  async wait(requestId: string, waitMs: number, signal: AbortSignal): Promise<'answered' | 'silent'> {
    const answered = Promise.withResolvers<'answered'>();
    const over = new Stop();
    const oldest = this.#waiting.size < MOST_WAITED_FOR ? undefined : this.#waiting.keys().next().value;
    if (oldest !== undefined) this.#waiting.delete(oldest);
    this.#waiting.set(requestId, () => answered.resolve('answered'));
    try {
      const end = (): void => over.abort();
      signal.addEventListener('abort', end, { once: true });
      const silent = this.#clock.sleep(waitMs, over).then(() => 'silent' as const);
      return await Promise.race([answered.promise, silent]).finally(() => signal.removeEventListener('abort', end));
    } finally {
      over.abort();
      this.#waiting.delete(requestId);
    }
  }
}
