import type { EventEmitter } from 'node:events';
import type { CommitGate } from '../fleet/gate.ts';

/** The raw WebSocket, as far as it is needed here; the `ws` library's. */
export interface RawSocket extends EventEmitter {
  send: (data: unknown, callback?: (error?: Error) => void) => void;
  /** Stops reading from the network; only while the socket is open. */
  readonly pause: () => void;
  readonly resume: () => void;
}

/** One wait for the gate; a closed gate is waited for again and again, as long as the socket lives. */
const WAIT_MS = 60_000;

/**
 * Puts the commit gate between the network and Baileys (PROTOCOL.md §4). While the gate is closed no frame comes in, so
 * nothing is decrypted, acknowledged or answered; and none goes out, not even what was on its way when it closed. When it
 * opens again both go on in order, as if the network had been slow. A suspension that lasts too long is ended by Baileys'
 * keep-alive, which then sees a silent server.
 *
 * The gate compares clocks at each frame. So a process that was frozen holds back the first frame that it reads.
 */
export function guardFrames(socket: RawSocket, gate: Pick<CommitGate, 'isOpen' | 'whenOpen'>): void {
  const passage = new Passage(socket, gate);
  const listeners = socket.listeners('message') as ((...frame: unknown[]) => void)[];
  socket.removeAllListeners('message');
  socket.on('message', (...frame: unknown[]) => {
    passage.pass(() => {
      for (const listener of listeners) listener.apply(socket, frame);
    });
  });
  const send = socket.send.bind(socket);
  socket.send = (data, callback) => passage.pass(() => send(data, callback));
}

/** Lets frames through one after the other, in both directions. */
class Passage {
  readonly #socket: RawSocket;
  readonly #gate: Pick<CommitGate, 'isOpen' | 'whenOpen'>;
  readonly #held: (() => void)[] = [];
  #waiting = false;
  #closed = false;

  constructor(socket: RawSocket, gate: Pick<CommitGate, 'isOpen' | 'whenOpen'>) {
    this.#socket = socket;
    this.#gate = gate;
    socket.once('close', () => {
      this.#closed = true;
      this.#held.length = 0;
    });
  }

  pass(frame: () => void): void {
    if (this.#closed) return;
    // What was held goes first, also in the moment in which the gate has opened and it is not yet on its way.
    if (this.#held.length === 0 && this.#gate.isOpen()) {
      frame();
      return;
    }
    this.#held.push(frame);
    if (!this.#waiting) void this.#wait();
  }

  async #wait(): Promise<void> {
    this.#waiting = true;
    this.#socket.pause();
    while (!this.#closed && this.#held.length > 0) {
      if (this.#gate.isOpen()) this.#held.shift()?.();
      else if (!(await this.#opened())) break;
    }
    this.#waiting = false;
    if (!this.#closed) this.#socket.resume();
  }

  /** Whether it makes sense to look again: false when the gate will never open. */
  async #opened(): Promise<boolean> {
    try {
      await this.#gate.whenOpen(WAIT_MS);
      return true;
    } catch (error) {
      if ((error as Error).name === 'TimeoutError') return true;
      this.#closed = true;
      return false;
    }
  }
}
