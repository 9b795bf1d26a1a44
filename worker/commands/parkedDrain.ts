import type { Mutex } from 'async-mutex';
import { backoffMs } from '../../shared/kernel/backoff.ts';
import type { Random } from '../../shared/kernel/random.ts';
import type { SendingSocket } from '../socket/connectionSocket.ts';
import { readMessage, trySending, type SendDependencies } from './sendCommand.ts';

export interface DrainDependencies extends SendDependencies {
  readonly random: Random;
  /** The socket on which messages may be sent now, if there is one. */
  readonly socket: () => SendingSocket | undefined;
  /** The connection's turn to send, shared with new commands. */
  readonly turn: Mutex;
  readonly isFinishing: () => boolean;
  /** Told under the turn: no row is parked any more. */
  readonly onEmpty: () => void;
}

const RETRY = { firstMs: 1_000, capMs: 30_000 } as const;

/** Sends parked messages in order, for as long as the socket may be used. One loop at most runs. */
export class ParkedDrain {
  readonly #dependencies: DrainDependencies;
  #running = false;
  #again = false;
  #waiting: AbortController | undefined;

  constructor(dependencies: DrainDependencies) {
    this.#dependencies = dependencies;
  }

  /** Starts the loop, or ends its wait if it runs. */
  start(): void {
    this.#again = true;
    this.#waiting?.abort();
    if (!this.#running) void this.#run();
  }

  /** Ends a wait; the message in flight finishes. */
  stop(): void {
    this.#waiting?.abort();
  }

  async #run(): Promise<void> {
    const { turn, clock, random, logger } = this.#dependencies;
    this.#running = true;
    let failures = 0;
    while (this.#again) {
      this.#again = false;
      let result: Progress = 'sent';
      while (result !== 'over') {
        // No turn is kept while waiting, so that newer commands can park meanwhile.
        if (result === 'failed') {
          const waiting = new AbortController();
          this.#waiting = waiting;
          await clock.sleep(backoffMs(RETRY, failures, random.unit()), waiting.signal);
          this.#waiting = undefined;
          failures += 1;
        } else failures = 0;
        result = await turn
          .runExclusive(() => this.#sendFirst())
          .catch((error: unknown) => {
            logger.warn('parked message could not be sent', { error });
            return 'failed' as const;
          });
      }
    }
    this.#running = false;
  }

  async #sendFirst(): Promise<Progress> {
    const { messages, owned, socket: usable, isFinishing, assertOpen, onEmpty } = this.#dependencies;
    const socket = usable();
    if (socket === undefined || isFinishing()) return 'over';
    assertOpen();
    const [first] = await messages.listParked(owned.connectionId, 1);
    if (first === undefined) {
      onEmpty();
      return 'over';
    }
    const message = await readMessage(this.#dependencies, first.messageId, 'parked');
    const result = message === 'settled' ? 'settled' : await trySending(this.#dependencies, message, socket);
    if (result === 'again') return 'failed';
    // A newer owner has the message: it has the parked row, too.
    if (result === 'unowned') return 'over';
    assertOpen();
    await messages.unpark(owned, first.sequenceNumber);
    return 'sent';
  }
}

/** `over`: nothing is parked, or nothing may be sent. */
type Progress = 'sent' | 'failed' | 'over';
