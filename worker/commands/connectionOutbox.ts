import { Mutex } from 'async-mutex';
import type { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import type { MessageId } from '../../shared/kernel/id.ts';
import type { Random } from '../../shared/kernel/random.ts';
import type { SendErrorCode } from '../../shared/message/message.ts';
import type { SendingSocket } from '../socket/connectionSocket.ts';
import { ParkedDrain } from './parkedDrain.ts';
import { SendPause } from './sendPause.ts';
import { failMessage, hopelessBecause, readMessage, trySending, type SendDependencies } from './sendCommand.ts';

export interface OutboxDependencies extends SendDependencies {
  readonly connections: Pick<ConnectionStore, 'find'>;
  readonly random: Random;
  /** The socket on which messages may be sent now, if there is one. */
  readonly socket: () => SendingSocket | undefined;
  /** Shows that nothing is sent for a while because WhatsApp does not answer, or that it goes on. */
  readonly showPause?: (durationMs: number | undefined) => void;
}

/** `done`: the command may be deleted. `later`: it goes back to the queue, with all that follow in its group. */
export type CommandResult = 'done' | 'later';

/** Parked messages that are read at a time when all of them fail. */
const PAGE = 25;

/**
 * Everything that one owned connection sends, one message at a time and in the order in which SQS took them. What cannot
 * be sent now is parked on a row of its own; while rows are parked, newer messages park behind them.
 */
export class ConnectionOutbox {
  readonly #dependencies: OutboxDependencies;
  readonly #turn = new Mutex();
  readonly #drain: ParkedDrain;
  /** Whether rows are parked. Unknown at first: an earlier owner may have left some. */
  #backlog: 'unknown' | 'some' | 'none' = 'unknown';
  #finishing = false;
  readonly #pause: SendPause;
  /** The end of a pause. */
  #waiting = new AbortController();

  constructor(dependencies: OutboxDependencies) {
    this.#dependencies = dependencies;
    this.#pause = new SendPause({
      clock: dependencies.clock,
      onPaused: (durationMs) => this.#resumeAfter(durationMs),
      onResumed: () => dependencies.showPause?.(undefined),
    });
    this.#drain = new ParkedDrain({
      ...dependencies,
      socket: () => this.#usableSocket(),
      turn: this.#turn,
      isFinishing: () => this.#finishing,
      onEmpty: () => {
        this.#backlog = 'none';
      },
    });
  }

  /**
   * Sends a message, or parks it, or finds that it is over.
   * Throws when a store or the events queue does not answer: the command then goes back as well.
   * @param sequenceNumber SQS's, which orders what is parked
   * @param enqueuedAtMs when SQS took the command, by its clock
   */
  async handle(messageId: MessageId, sequenceNumber: string, enqueuedAtMs: number): Promise<CommandResult> {
    return this.#turn.runExclusive(async () => {
      if (this.#finishing) return 'later';
      this.#dependencies.assertOpen();
      const message = await readMessage(this.#dependencies, messageId, { enqueuedAtMs });
      if (message === 'settled') return 'done';
      const socket = this.#usableSocket();
      if (socket === undefined || (await this.#hasBacklog())) {
        const { connections, owned } = this.#dependencies;
        const error = hopelessBecause(await connections.find(owned.tenantId, owned.connectionId));
        if (error === undefined) await this.#park(messageId, sequenceNumber);
        else await failMessage(this.#dependencies, message, error);
        return 'done';
      }
      const result = await trySending(this.#dependencies, message, socket);
      // It may have left or not: it stays ahead of all newer ones, under its stanza id.
      if (result === 'again') await this.#park(messageId, sequenceNumber);
      return result === 'unowned' ? 'later' : 'done';
    });
  }

  /** A new socket may be used: sends what is parked. A pause of the one before is over. */
  allow(): void {
    this.#waiting.abort();
    this.#pause.reset();
    this.#carryOn();
  }

  /** Takes no more, and resolves when nothing is in flight. What comes later goes back to the queue. */
  async finish(): Promise<void> {
    this.#finishing = true;
    this.#waiting.abort();
    this.#drain.stop();
    await this.#turn.waitForUnlock();
  }

  /** All parked messages fail, for example because the connection was deleted. */
  async failAll(error: SendErrorCode): Promise<void> {
    const { messages, owned } = this.#dependencies;
    await this.#turn.runExclusive(async () => {
      for (;;) {
        const parked = await messages.listParked(owned.connectionId, PAGE);
        if (parked.length === 0) break;
        for (const { messageId, sequenceNumber } of parked) {
          this.#dependencies.assertOpen();
          const message = await readMessage(this.#dependencies, messageId, 'parked');
          if (message !== 'settled') await failMessage(this.#dependencies, message, error);
          this.#dependencies.assertOpen();
          await messages.unpark(owned, sequenceNumber);
        }
      }
      this.#backlog = 'none';
    });
  }

  async #hasBacklog(): Promise<boolean> {
    const { messages, owned } = this.#dependencies;
    if (this.#backlog === 'unknown') {
      const parked = await messages.listParked(owned.connectionId, 1);
      this.#backlog = parked.length > 0 ? 'some' : 'none';
    }
    return this.#backlog === 'some';
  }

  async #park(messageId: MessageId, sequenceNumber: string): Promise<void> {
    const { messages, owned, assertOpen } = this.#dependencies;
    assertOpen();
    this.#backlog = 'some';
    await messages.park(owned, messageId, sequenceNumber);
    // The socket may have become usable, or its drain may have ended, while this one was being parked.
    if (this.#usableSocket() !== undefined) this.#carryOn();
  }

  #carryOn(): void {
    if (!this.#finishing) this.#drain.start();
  }

  /** The socket on which messages may be sent now, each counted; none while sends are paused. */
  #usableSocket(): SendingSocket | undefined {
    const socket = this.#dependencies.socket();
    return socket === undefined || this.#pause.isPaused() ? undefined : this.#pause.watch(socket);
  }

  #resumeAfter(durationMs: number): void {
    const { clock, showPause } = this.#dependencies;
    this.#waiting.abort();
    const waiting = new AbortController();
    this.#waiting = waiting;
    showPause?.(durationMs);
    void clock.sleep(durationMs, waiting.signal).then(() => {
      if (!waiting.signal.aborted) this.#carryOn();
    });
  }
}
