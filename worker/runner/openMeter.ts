import type { Metrics } from '../../shared/platform/metrics.ts';
import type { SocketInput } from '../socket/connectionSocket.ts';

/** Counts what became of the sockets that this worker opened: for the leader, who looks for outages, and for operators. */
export class OpenMeter {
  readonly #metrics: Metrics;
  readonly #monotonicMs: () => number;
  #opened = 0;
  #openFailed = 0;

  constructor(metrics: Metrics, monotonicMs: () => number) {
    this.#metrics = metrics;
    this.#monotonicMs = monotonicMs;
  }

  /** Counters since the start of the process. */
  counters(): { readonly opened: number; readonly openFailed: number } {
    return { opened: this.#opened, openFailed: this.#openFailed };
  }

  /** Follows one socket through what it says. An offer to pair is a success: WhatsApp answered. */
  follow(): (input: SocketInput) => void {
    const startedMs = this.#monotonicMs();
    let isOpening = true;
    this.#metrics.count('OpenAttempts', {});
    return (input) => {
      if (input.type === 'socket_closed' && input.close.statusCode === 440) this.#metrics.count('Conflicts', {});
      if (!isOpening || input.type === 'paired' || input.type === 'caught_up') return;
      isOpening = false;
      if (input.type === 'socket_closed') {
        this.#openFailed += 1;
        this.#metrics.count('OpenFailed', {});
      } else {
        this.#opened += 1;
        this.#metrics.count('OpenSucceeded', {});
        this.#metrics.measure('TimeToOpen', this.#monotonicMs() - startedMs, {});
      }
    };
  }
}
