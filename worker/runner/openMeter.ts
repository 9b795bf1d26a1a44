import type { DimensionsOf } from '../../shared/platform/metricCatalogue.ts';
import type { Metrics } from '../../shared/platform/metrics.ts';
import type { SocketInput } from '../socket/port/connectionSocket.ts';

/**
 * Counts the outcomes of the sockets that this worker opened: for the leader, which looks for outages, and for
 * operators.
 */
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

  /** Follows one socket through its inputs. An offer to pair is a success: WhatsApp answered. */
  follow(): (input: SocketInput) => void {
    const startedMs = this.#monotonicMs();
    let isOpening = true;
    this.#metrics.count('OpenAttempts', {});
    return (input) => {
      if (input.type === 'socket_closed' && input.close.statusCode === 440) this.#metrics.count('Conflicts', {});
      if (input.type === 'socket_closed') {
        this.#metrics.count('SocketsClosed', { cause: kindOfClose(input.close.statusCode) });
      }
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

type CloseKind = DimensionsOf<'SocketsClosed'>['cause'];

/**
 * Kinds of closes by WhatsApp's code, few enough to be dimensions. `closeRules` says what each means for its
 * connection.
 */
const kindsByCode: Readonly<Record<number, CloseKind>> = {
  401: 'account',
  402: 'account',
  403: 'account',
  405: 'client',
  406: 'account',
  408: 'network',
  409: 'client',
  411: 'client',
  428: 'network',
  440: 'replaced',
  500: 'server',
  503: 'server',
  515: 'restart',
};

function kindOfClose(statusCode: number | undefined): CloseKind {
  return (statusCode === undefined ? undefined : kindsByCode[statusCode]) ?? 'other';
}
