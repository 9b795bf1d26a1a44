import { withDeadline } from '../../shared/kernel/deadline.ts';
import type { Scope } from '../../shared/kernel/scope.ts';
import type { ConnectionSocket } from '../socket/port/connectionSocket.ts';
import type { Goal, Input } from './machineTypes.ts';
import type { RunnerDependencies, SocketSource } from './runnerDependencies.ts';

/**
 * The limit on a close, in milliseconds. A socket's own deadlines end long before; past it the process is not to be
 * trusted.
 */
const CLOSE_DEADLINE_MS = 30_000;
const OPEN_DEADLINE_MS = 60_000;

export interface RunnerSocketParts extends Pick<
  RunnerDependencies,
  'policy' | 'sockets' | 'takeTurn' | 'clock' | 'logger' | 'scope' | 'openedAtMs'
> {
  /** Takes what the socket says, and what became of an attempt to open it. */
  readonly deliver: (input: Input) => void;
  /** A wait for a turn to open is over: what follows is work again. */
  readonly waitEnded: () => void;
}

/** The one socket of a runner: it waits for a turn, is opened and is closed, and never stands beside its successor. */
export class RunnerSocket {
  readonly #parts: RunnerSocketParts;
  #openedAtMs: number | undefined;
  #current: ConnectionSocket | undefined;
  #scope: Scope | undefined;
  /** Gives the turn back once the handshake is over. */
  #turn: (() => void) | undefined;
  #waiting: AbortController | undefined;

  constructor(parts: RunnerSocketParts) {
    this.#parts = parts;
    this.#openedAtMs = parts.openedAtMs;
  }

  /** When the last socket of this connection was asked for, on the monotonic clock. */
  get openedAtMs(): number | undefined {
    return this.#openedAtMs;
  }

  get current(): ConnectionSocket | undefined {
    return this.#current;
  }

  /** Whether it waits for its turn to open. */
  get isWaiting(): boolean {
    return this.#waiting !== undefined;
  }

  /** Something came that is more urgent than to open. */
  giveUpWait(): void {
    this.#waiting?.abort();
  }

  giveTurnBack(): void {
    this.#turn?.();
    this.#turn = undefined;
  }

  /**
   * Waits for a turn, then opens. Any failure becomes a socket that closed for an unknown reason.
   * @param isHurried whether something more urgent waits already: then no turn is waited for
   */
  async open(generation: number, goal: Goal, isHurried: boolean): Promise<void> {
    const { sockets, clock, logger, scope } = this.#parts;
    if (sockets.isVersionRefused()) return this.#closed(generation, undefined, 'version_refused');
    this.#openedAtMs = clock.monotonicMs();
    this.#release();
    const own = scope.child(`socket ${generation}`);
    this.#scope = own;
    const waiting = new AbortController();
    this.#waiting = waiting;
    if (isHurried) waiting.abort();
    let opening: ReturnType<SocketSource['open']> | undefined;
    try {
      const pairing = goal.kind === 'pairing' ? goal.pairing : undefined;
      if (pairing !== undefined) {
        await withDeadline('preparing a socket', OPEN_DEADLINE_MS, () => sockets.prepare(), clock);
      }
      const turn = await this.#takeTurn(waiting.signal);
      // A worker may have found out while this one waited.
      if (sockets.isVersionRefused()) return this.#closed(generation, undefined, 'version_refused');
      const started = sockets.open({
        generation,
        pairing,
        onInput: this.#parts.deliver,
        onLoggedIn: () => {
          if (this.#turn === turn) this.giveTurnBack();
        },
        scope: own,
      });
      opening = started;
      this.#keep(generation, await withDeadline('opening a socket', OPEN_DEADLINE_MS, () => started, clock));
    } catch (error) {
      this.giveTurnBack();
      this.#release();
      closeLate(opening);
      logger[waiting.signal.aborted ? 'debug' : 'warn']('socket could not be opened', { generation, error });
      this.#closed(generation, undefined);
    } finally {
      this.#endWait();
    }
  }

  /** Closes the socket. One that does not close could speak beside its successor, so a failure is not survivable. */
  async close(kind: 'end' | 'logout'): Promise<void> {
    const socket = this.#current;
    this.#current = undefined;
    this.giveTurnBack();
    if (socket === undefined) return;
    await withDeadline('closing a socket', CLOSE_DEADLINE_MS, () => socket.close(kind), this.#parts.clock);
    this.#release();
  }

  async #takeTurn(given: AbortSignal): Promise<() => void> {
    const { policy, takeTurn, clock } = this.#parts;
    const turn = await withDeadline(
      'waiting for a turn to open',
      policy().openWithinMs,
      (late) => takeTurn(AbortSignal.any([late, given])),
      clock,
    );
    this.#turn = turn;
    this.#endWait();
    return turn;
  }

  #keep(generation: number, socket: Awaited<ReturnType<SocketSource['open']>>): void {
    if (socket === 'lost') this.#parts.deliver({ type: 'ownership_lost' });
    // WhatsApp would answer a login without credentials in the same way.
    else if (socket === 'unlinked') this.#closed(generation, 401);
    else this.#current = socket;
  }

  #endWait(): void {
    if (this.#waiting !== undefined) this.#parts.waitEnded();
    this.#waiting = undefined;
  }

  #closed(generation: number, statusCode: number | undefined, node?: string): void {
    this.#parts.deliver({ type: 'socket_closed', generation, close: { statusCode, node } });
  }

  #release(): void {
    const scope = this.#scope;
    this.#scope = undefined;
    scope?.close().catch((error: unknown) => {
      this.#parts.logger.error('resources were not released', { operation: scope.name, error });
    });
  }
}

/** Closes a socket that comes after its deadline: it has no owner. */
function closeLate(opening: ReturnType<SocketSource['open']> | undefined): void {
  void opening?.then(
    (late) => (typeof late === 'string' ? undefined : late.close('end')),
    () => undefined,
  );
}
