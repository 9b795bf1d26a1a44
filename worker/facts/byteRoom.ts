/** Returns what was taken. Calling it again does nothing. */
export type GiveBack = () => void;

/**
 * Room for a number of bytes. Who wants more than is left waits, and those who wait are served in their order, so that a
 * large one is not passed by small ones for ever. One that is larger than all of the room has it alone.
 */
export class ByteRoom {
  readonly #most: number;
  #taken = 0;
  readonly #waiting: { readonly bytes: number; readonly enter: () => void }[] = [];

  /** @param most the number of bytes */
  constructor(most: number) {
    this.#most = most;
  }

  /** Takes room, as soon as there is. Rejects with the signal's reason when that aborts before. */
  take(bytes: number, signal: AbortSignal): Promise<GiveBack> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(signal.reason as Error);
        this.#admit();
      };
      const waiter = {
        bytes,
        enter: () => {
          signal.removeEventListener('abort', leave);
          resolve(this.#giveBack(bytes));
        },
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.push(waiter);
      this.#admit();
    });
  }

  #giveBack(bytes: number): GiveBack {
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      this.#taken -= bytes;
      this.#admit();
    };
  }

  #admit(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (this.#taken > 0 && this.#taken + next.bytes > this.#most) return;
      this.#waiting.shift();
      this.#taken += next.bytes;
      next.enter();
    }
  }
}
