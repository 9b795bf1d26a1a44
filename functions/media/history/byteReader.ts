import { HistoryFaultError } from './historyFault.ts';

const NO_BYTES = Buffer.alloc(0);
const MOST_NUMBER_BYTES = 10;

/**
 * Reads protobuf from bytes as they come. No more of them is held than was asked for and the chunk behind it, whatever a length says. Throws
 * {@link HistoryFaultError} where the bytes end too early or say no number.
 */
export class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #held: Buffer = NO_BYTES;
  #at = 0;
  #before = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  /** How many bytes were read. */
  get position(): number {
    return this.#before + this.#at;
  }

  /** Whether there is nothing more. */
  async isAtEnd(): Promise<boolean> {
    while (this.#at === this.#held.length) if (!(await this.#more())) return true;
    return false;
  }

  /** Reads a number, exact up to 2^53. */
  async number(): Promise<number> {
    let value = 0;
    let scale = 1;
    for (let read = 0; read < MOST_NUMBER_BYTES; read += 1) {
      if (this.#at === this.#held.length && (await this.isAtEnd())) break;
      const byte = this.#held[this.#at] ?? 0;
      this.#at += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw new HistoryFaultError('malformed');
  }

  /** Reads so many bytes, as a copy of their own. */
  async bytes(length: number): Promise<Uint8Array> {
    const parts: Buffer[] = [];
    for await (const part of this.#take(length)) parts.push(Buffer.from(part));
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
  }

  /** Passes over so many bytes. */
  async skip(length: number): Promise<void> {
    for await (const _ of this.#take(length));
  }

  async *#take(length: number): AsyncGenerator<Buffer> {
    for (let left = length; left > 0;) {
      if (await this.isAtEnd()) throw new HistoryFaultError('malformed');
      const part = this.#held.subarray(this.#at, this.#at + left);
      this.#at += part.length;
      left -= part.length;
      yield part;
    }
  }

  async #more(): Promise<boolean> {
    const next = await this.#chunks.next();
    if (next.done === true) return false;
    this.#before += this.#held.length;
    this.#held = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
    this.#at = 0;
    return true;
  }
}
