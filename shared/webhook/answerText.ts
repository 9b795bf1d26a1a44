/** The most of the body of an answer that is kept, in bytes. */
export const ANSWER_KEPT_BYTES = 1_024;

/** What a person can read: letters, marks, digits, punctuation, symbols and spaces; no control and no direction marks. */
const READABLE = /^[\t\n\r\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}]+$/u;

/** The beginning of the body of an answer, as it comes. It holds a kilobyte at most, whatever the body does. */
export class AnswerText {
  readonly #kept = Buffer.alloc(ANSWER_KEPT_BYTES);
  #length = 0;
  readonly #isPlain: boolean;

  /** @param encoding what the header `content-encoding` says: of a body that is packed nothing is kept */
  constructor(encoding: unknown) {
    this.#isPlain = encoding === undefined || encoding === 'identity';
  }

  add(chunk: Uint8Array): void {
    if (this.#length >= ANSWER_KEPT_BYTES) return;
    const part = chunk.subarray(0, ANSWER_KEPT_BYTES - this.#length);
    this.#kept.set(part, this.#length);
    this.#length += part.length;
  }

  /** The text; undefined for an empty one, and for what is no text that a person can read. A character that was cut is left out. */
  text(): string | undefined {
    if (!this.#isPlain || this.#length === 0) return undefined;
    try {
      const text = new TextDecoder('utf-8', { fatal: true }).decode(this.#kept.subarray(0, this.#length), {
        stream: this.#length === ANSWER_KEPT_BYTES,
      });
      return READABLE.test(text) ? text : undefined;
    } catch {
      return undefined;
    }
  }
}
