import { PART_BYTES } from './objectStore.ts';

/** A part of what a source gives. */
export interface ObjectPart {
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
}

/**
 * Takes what a source gives in parts of one size. There are two buffers in turn, so a part may be used until the one after
 * the next is asked for, and no longer. The caller asks for one part at a time.
 */
export class ObjectParts {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #signal: AbortSignal;
  readonly #partBytes: number;
  #buffers: readonly [Buffer, Buffer] | undefined;
  #turn: 0 | 1 = 0;
  #rest: Uint8Array = new Uint8Array(0);
  #isOver = false;
  /** Ends the present wait for the source. */
  #giveUp: (reason: unknown) => void = () => undefined;
  readonly #onAbort = (): void => this.#giveUp(this.#signal.reason);

  /** @param signal ends the wait for a source that gives nothing */
  constructor(source: AsyncIterable<Uint8Array>, signal: AbortSignal, partBytes = PART_BYTES) {
    this.#source = source[Symbol.asyncIterator]();
    this.#signal = signal;
    this.#partBytes = partBytes;
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** The next part; the last one may be empty. Throws what the source throws, and the signal's reason when it aborts. */
  async next(): Promise<ObjectPart> {
    const buffer = this.#takeBuffer();
    let filled = 0;
    for (;;) {
      const taken = Math.min(this.#rest.length, this.#partBytes - filled);
      buffer.set(this.#rest.subarray(0, taken), filled);
      this.#rest = this.#rest.subarray(taken);
      filled += taken;
      // A part that is full is the last one only if nothing comes after it.
      if (this.#rest.length > 0) return { bytes: buffer.subarray(0, filled), isLast: false };
      this.#signal.throwIfAborted();
      const { done, value } = await this.#orAborted(this.#source.next());
      if (done === true) {
        this.#isOver = true;
        return { bytes: buffer.subarray(0, filled), isLast: true };
      }
      this.#rest = value;
    }
  }

  /** Tells the source to end, if it has not. A source that hangs is not waited for. */
  end(): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
    if (this.#isOver) return;
    this.#isOver = true;
    void Promise.try(() => this.#source.return?.()).catch(() => undefined);
  }

  /** A race with one promise that never settles would keep something of each chunk until the end. */
  #orAborted(given: Promise<IteratorResult<Uint8Array>>): Promise<IteratorResult<Uint8Array>> {
    return new Promise((resolve, reject) => {
      this.#giveUp = reject;
      given.then(resolve, reject);
    });
  }

  /** Memory that nobody has written to costs nothing, so a short file takes no more than its pages. */
  #takeBuffer(): Buffer {
    this.#buffers ??= [Buffer.allocUnsafeSlow(this.#partBytes), Buffer.allocUnsafeSlow(this.#partBytes)];
    const buffer = this.#buffers[this.#turn];
    this.#turn = this.#turn === 0 ? 1 : 0;
    return buffer;
  }
}
