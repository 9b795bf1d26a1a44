import { RequestThrottled } from '@aws-sdk/client-sqs';

/** Calls a second of one kind that SQS takes: of a FIFO queue, and in the mode of high throughput of each of its groups. */
const CALLS_PER_SECOND = 300;

/** The kinds of calls that SQS counts apart. A batch call is one call. */
export type CountedCall = 'send' | 'receive' | 'delete';

/**
 * Counts the calls of one FIFO queue and refuses those above its limit, as SQS does: without high throughput all calls of
 * the queue together, with it those of each group.
 */
export class Throughput {
  readonly #isPerGroup: boolean;
  readonly #calls = new Map<string, { readonly second: number; count: number }>();
  /** Calls that were refused. */
  throttled = 0;

  constructor(isPerGroup: boolean) {
    this.#isPerGroup = isPerGroup;
  }

  /** Counts a call. Throws RequestThrottled when there were too many in this second. @param groups those it is about */
  count(kind: CountedCall, groups: readonly string[], nowMs: number): void {
    // A receive is of no group, and a queue with high throughput takes as many as come.
    const names = this.#isPerGroup ? [...new Set(groups)] : [''];
    const second = Math.floor(nowMs / 1_000);
    const counts = names.map((group) => this.#countOf(`${kind} ${group}`, second));
    if (counts.some(({ count }) => count >= CALLS_PER_SECOND)) {
      this.throttled += 1;
      throw new RequestThrottled({ message: 'Rate exceeded', $metadata: { httpStatusCode: 403 } });
    }
    for (const one of counts) one.count += 1;
  }

  #countOf(key: string, second: number): { readonly second: number; count: number } {
    const known = this.#calls.get(key);
    if (known?.second === second) return known;
    const fresh = { second, count: 0 };
    this.#calls.set(key, fresh);
    return fresh;
  }
}
