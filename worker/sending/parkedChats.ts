/**
 * Which chats have parked messages, and the place of the newest of each. Only its owner parks and sends, one at a time, so what
 * is kept here is what the rows say; it is read from them once an owner, or a login, begins. Bounded by what may be parked.
 */
export class ParkedChats {
  /** The place of the newest parked message by chat; undefined while it is not known. */
  #newest: Map<string, string> | undefined;
  /** What the look that is under way has left parked. */
  #left: Map<string, string> | undefined;

  get isKnown(): boolean {
    return this.#newest !== undefined;
  }

  get isEmpty(): boolean {
    return this.#newest?.size === 0;
  }

  has(chat: string): boolean {
    return this.#newest?.has(chat) === true;
  }

  /** Begins anew with what the rows say. */
  know(rows: Iterable<readonly [chat: string, place: string]>): void {
    this.#newest = new Map(rows);
    this.#left = undefined;
  }

  forget(): void {
    this.#newest = undefined;
    this.#left = undefined;
  }

  /** A message was parked. */
  add(chat: string, place: string): void {
    this.#newest?.set(chat, place);
    this.#left?.set(chat, place);
  }

  /** A parked message is over. */
  remove(chat: string, place: string): void {
    for (const places of [this.#newest, this.#left]) if (places?.get(chat) === place) places.delete(chat);
  }

  /** A look at all parked rows begins, in their order. */
  beginLook(): void {
    this.#left = new Map();
  }

  /** The look came to a row that stays parked. */
  leave(chat: string, place: string): void {
    this.#left?.set(chat, place);
  }

  /** The look is through: what it has not seen is parked no more, for example because it was cancelled. */
  endLook(): void {
    if (this.#left !== undefined) this.#newest = this.#left;
    this.#left = undefined;
  }
}
