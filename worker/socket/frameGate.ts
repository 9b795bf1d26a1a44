import type { EventEmitter } from 'node:events';
import type { CommitGate } from '../fleet/gate.ts';

/** The parts of a raw WebSocket, of the `ws` library, that are needed here. */
export interface RawSocket extends EventEmitter {
  send: (data: unknown, callback?: (error?: Error) => void) => void;
  /** Ends reading from the network; only while the socket is open. */
  readonly pause: () => void;
  readonly resume: () => void;
}

/**
 * How long one wait for the gate lasts, in milliseconds; a closed gate is waited for again and again, as long as the
 * socket lives.
 */
const WAIT_MS = 60_000;

/** The saves that must be durable before a frame may leave. */
export interface PendingSaves {
  readonly isSettled: () => boolean;
  /** Resolves when they are durable; throws when they never will be. */
  readonly settled: () => Promise<void>;
}

const NOTHING_TO_SAVE: PendingSaves = { isSettled: () => true, settled: async () => undefined };

/**
 * Puts the commit gate between the network and Baileys (docs/protocol.md, "The gate"). While the gate is closed no
 * frame comes in, so nothing is decrypted, acknowledged or answered; and none goes out, not even one that was on its
 * way when it closed. When it opens again both go on in order, as if the network had been slow. A suspension that lasts
 * too long is ended by Baileys' keep-alive, which then sees a silent server.
 *
 * Outgoing frames also wait for credentials that are being saved: Baileys announces a change and sends what follows
 * from it without waiting. Pre-keys that were uploaded under numbers which a crash has forgotten would be given out
 * twice.
 *
 * The gate compares clocks at each frame. So a process that was frozen holds back the first frame that it reads.
 */
export function guardFrames(
  socket: RawSocket,
  gate: Pick<CommitGate, 'isOpen' | 'whenOpen'>,
  saves: PendingSaves = NOTHING_TO_SAVE,
): void {
  const inward = new Passage(socket, {
    isOpen: () => gate.isOpen(),
    whenOpen: () => gate.whenOpen(WAIT_MS),
    closed: () => socket.pause(),
    opened: () => socket.resume(),
  });
  const outward = new Passage(socket, {
    isOpen: () => gate.isOpen() && saves.isSettled(),
    whenOpen: async () => {
      await saves.settled();
      await gate.whenOpen(WAIT_MS);
    },
  });
  const listeners = socket.listeners('message') as ((...frame: unknown[]) => void)[];
  socket.removeAllListeners('message');
  socket.on('message', (...frame: unknown[]) => {
    inward.pass(() => {
      for (const listener of listeners) listener.apply(socket, frame);
    });
  });
  const send = socket.send.bind(socket);
  socket.send = (data, callback) => outward.pass(() => send(data, callback));
}

interface Door {
  readonly isOpen: () => boolean;
  /** Throws a TimeoutError when it has waited long enough to look again, any other error when it will never open. */
  readonly whenOpen: () => Promise<void>;
  /** Called when the first frame is held. */
  readonly closed?: () => void;
  /** Called when all held frames have gone through. */
  readonly opened?: () => void;
}

/** Lets the frames of one direction through, one after the other. */
class Passage {
  readonly #door: Door;
  readonly #held: (() => void)[] = [];
  #waiting = false;
  #closed = false;

  constructor(socket: RawSocket, door: Door) {
    this.#door = door;
    socket.once('close', () => {
      this.#closed = true;
      this.#held.length = 0;
    });
  }

  pass(frame: () => void): void {
    if (this.#closed) return;
    // Held frames go first, also in the moment in which the door has opened and they are not yet on their way.
    if (this.#held.length === 0 && this.#door.isOpen()) {
      frame();
      return;
    }
    this.#held.push(frame);
    if (!this.#waiting) void this.#wait();
  }

  async #wait(): Promise<void> {
    this.#waiting = true;
    this.#door.closed?.();
    while (!this.#closed && this.#held.length > 0) {
      if (this.#door.isOpen()) this.#held.shift()?.();
      else if (!(await this.#opened())) break;
    }
    this.#waiting = false;
    if (!this.#closed) this.#door.opened?.();
  }

  /** Whether it makes sense to look again: false when it will never open. */
  async #opened(): Promise<boolean> {
    try {
      await this.#door.whenOpen();
      return true;
    } catch (error) {
      if ((error as Error).name === 'TimeoutError') return true;
      this.#closed = true;
      return false;
    }
  }
}
