import type { ConnectionState } from '@whiskeysockets/baileys';
import type { Release } from '../../shared/kernel/scope.ts';
import type { Ending } from './ending.ts';
import type { InboundOrder } from './inbound/inboundOrder.ts';
import type { Pairing } from './pairing/pairing.ts';
import type { OpenSocketOptions } from './port/socketOptions.ts';
import { SymptomError, toSocketClose } from './port/toSocketClose.ts';
import type { Baileys } from './rawSocketOf.ts';
import type { SocketCredentials } from './signal/socketCredentials.ts';
import type { SocketEvidence } from './socketEvidence.ts';

export interface OpeningParts {
  readonly socket: Pick<Baileys, 'ev' | 'ws'>;
  readonly credentials: SocketCredentials;
  readonly order: Pick<InboundOrder, 'idle'>;
  readonly evidence: Pick<SocketEvidence, 'enter'>;
  readonly pairing: Pairing | undefined;
  readonly ending: Ending;
  /** Announces presence, once the socket is open. */
  readonly announce: (name: string | undefined) => void;
  /** Resolves when the offline queue is drained; parts that may send only then wait for this. */
  readonly caughtUp: PromiseWithResolvers<void>;
}

/** The phases of a socket: it shows an offer or logs in, opens, works off what waited, and closes. */
export class Opening {
  readonly #options: OpenSocketOptions;
  readonly #parts: OpeningParts;
  #endLoginDeadline: Release | undefined;
  #hasCaughtUp = false;

  constructor(options: OpenSocketOptions, parts: OpeningParts) {
    this.#options = options;
    this.#parts = parts;
    const { scope, config } = options;
    const { socket, credentials, pairing, ending } = parts;
    scope.listen(socket.ev, 'connection.update', (update: Partial<ConnectionState>) => this.#onUpdate(update));
    scope.listen(socket.ev, 'creds.update', credentials.changed);
    scope.listen(socket.ws, 'CB:success', () => options.onLoggedIn?.());
    if (pairing !== undefined) return;
    // Baileys waits for `<success>` for ever: pings are answered and keep the socket alive.
    const late = (): void => ending.cut(new SymptomError('never_success', 'no login in time'));
    this.#endLoginDeadline = scope.timeout(config.openWithinMs, late);
  }

  /** Whether every stanza that waited for the account is handled. */
  get hasCaughtUp(): boolean {
    return this.#hasCaughtUp;
  }

  #onUpdate(update: Partial<ConnectionState>): void {
    if (update.connection === 'open') this.#opened();
    // Baileys announces this when the last waiting stanza has come; sends must not begin before it is handled, so that
    // Signal sessions settle.
    if (update.receivedPendingNotifications === true) void this.#parts.order.idle().then(() => this.#caughtUp());
    if (update.connection === 'close') this.#closed(update.lastDisconnect?.error);
  }

  #opened(): void {
    const { emit, generation } = this.#options;
    const { evidence, announce, credentials } = this.#parts;
    void this.#endLoginDeadline?.();
    this.#endLoginDeadline = undefined;
    evidence.enter('open');
    announce(credentials.current.me?.name);
    emit({ type: 'socket_opened', generation, account: credentials.account() });
  }

  #caughtUp(): void {
    const { emit, generation } = this.#options;
    const { ending, caughtUp } = this.#parts;
    if (ending.isClosed) return;
    this.#hasCaughtUp = true;
    caughtUp.resolve();
    emit({ type: 'caught_up', generation });
  }

  #closed(cause: Error | undefined): void {
    const { emit, generation, scope, logger } = this.#options;
    const { ending, pairing } = this.#parts;
    ending.finish();
    emit({ type: 'socket_closed', generation, close: { ...toSocketClose(cause), wasLogin: pairing === undefined } });
    scope.close().catch((error: unknown) => logger.error('a socket left something behind', { error }));
  }
}
