import { withDeadline } from '../../shared/kernel/deadline.ts';
import { deadlines } from '../../shared/kernel/deadlines.ts';
import type { FactsInOrder } from './inbound/factsInOrder.ts';
import type { InboundOrder } from './inbound/inboundOrder.ts';
import type { OpenSocketOptions } from './port/socketOptions.ts';
import { toCutCause } from './port/toSocketClose.ts';
import { rawSocketOf, type Baileys } from './rawSocketOf.ts';
import type { CredentialSaves } from './signal/credentialSaves.ts';

export interface EndingParts {
  readonly socket: Baileys;
  readonly order: Pick<InboundOrder, 'stop' | 'settled'>;
  readonly facts: Pick<FactsInOrder, 'settled' | 'abandon'>;
  readonly saves: Pick<CredentialSaves, 'settled'>;
  /** Called once, when nothing comes any more: lets go of every part that waits for something of this socket. */
  readonly letGo: () => void;
}

/** The ends of one socket: closed by its owner, cut by us in the middle, or closed by WhatsApp or the network. */
export class Ending {
  readonly #options: Pick<OpenSocketOptions, 'scope' | 'session' | 'gate' | 'logger'>;
  readonly #parts: EndingParts;
  readonly #closed = Promise.withResolvers<void>();
  readonly #forgetSession: () => void;
  #isClosed = false;

  constructor(options: Pick<OpenSocketOptions, 'scope' | 'session' | 'gate' | 'logger'>, parts: EndingParts) {
    this.#options = options;
    this.#parts = parts;
    this.#forgetSession = options.session.onFailure((cause) => this.cut(cause));
    options.scope.hold('other', () => {
      // A socket that closed by itself still works off what it has received.
      if (!this.#isClosed) parts.order.stop();
      this.finish();
    });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Closes the socket as its owner asks. Resolves when nothing of it is left. */
  async close(kind: 'end' | 'logout'): Promise<void> {
    const { logger, scope } = this.#options;
    const { socket, order, facts, saves } = this.#parts;
    if (kind === 'logout') {
      await withDeadline('logging out', deadlines.socketLogout.ms, () => socket.logout()).catch((error: unknown) =>
        logger.warn('logout not confirmed', { error }),
      );
    }
    // The present stanza is finished, the ones behind it come again: a step that is committed later would meet the next
    // socket.
    order.stop();
    const finished = withDeadline('the stanza in hand', deadlines.socketClose.ms, () => order.settled());
    const settled = [facts.settled(), saves.settled(), finished];
    await withDeadline('facts on their way', deadlines.socketSettle.ms, () => Promise.allSettled(settled)).catch(
      (error: unknown) => logger.warn('socket closed with work unfinished', { error }),
    );
    facts.abandon();
    void socket.end(new Error('closed by its owner'));
    scope.timeout(deadlines.socketClose.ms, () => this.#terminate());
    await this.#closed.promise;
    await this.#writeSession();
  }

  /** Ends the socket from our side so that nothing more leaves, not even an answer that is being written. */
  cut(cause: unknown): void {
    const { socket, order } = this.#parts;
    this.#options.logger.warn('socket cut', { error: cause });
    order.stop();
    this.#terminate();
    void socket.end(toCutCause(cause));
  }

  /** Ends all waits, because nothing comes any more. */
  finish(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#parts.letGo();
    this.#forgetSession();
    this.#closed.resolve();
  }

  /** Writes the receiving steps that wait in memory. They may be lost, so a worker that must not write leaves them. */
  async #writeSession(): Promise<void> {
    const { session, gate, logger } = this.#options;
    if (!gate.isOpen()) return;
    await session.flush().catch((error: unknown) => logger.warn('steps of receiving were not written', { error }));
  }

  #terminate(): void {
    rawSocketOf(this.#parts.socket)?.terminate();
  }
}
