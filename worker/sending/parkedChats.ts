import type { MessageStore } from '../../shared/message/messageStore.ts';
import type { OwnedConnection } from '../fleet/ownedConnection.ts';
import type { SendingSocket } from '../socket/port/connectionSocket.ts';

/** The number of rows that are read at a time. */
const PAGE = 100;

/**
 * The chats that have parked messages, with the place of the newest of each. Only the owner parks and sends, one
 * message at a time, so this memory agrees with the rows; it is read from them once an owner, or a login, begins. The
 * limit on parked messages bounds it.
 */
export class ParkedChats {
  /** The place of the newest parked message by chat; undefined while it is not known. */
  #newest: Map<string, string> | undefined;
  /** The places that the present look has left parked. */
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

  /** Begins anew with the contents of the rows. */
  know(rows: Iterable<readonly [chat: string, place: string]>): void {
    this.#newest = new Map(rows);
    this.#left = undefined;
  }

  forget(): void {
    this.#newest = undefined;
    this.#left = undefined;
  }

  /** Notes that a message was parked. */
  add(chat: string, place: string): void {
    this.#newest?.set(chat, place);
    this.#left?.set(chat, place);
  }

  /** Notes that a parked message is over. */
  remove(chat: string, place: string): void {
    for (const places of [this.#newest, this.#left]) if (places?.get(chat) === place) places.delete(chat);
  }

  /** Begins a look at all parked rows, in their order. */
  beginLook(): void {
    this.#left = new Map();
  }

  /** Notes a row that the look has left parked. */
  leave(chat: string, place: string): void {
    this.#left?.set(chat, place);
  }

  /** Ends the look: a message that it has not met is parked no more, for example because it was cancelled. */
  endLook(): void {
    if (this.#left !== undefined) this.#newest = this.#left;
    this.#left = undefined;
  }
}

/** Reads from their rows which chats have parked messages, with the place of each. */
export async function readParkedChats(
  { messages, owned }: { readonly messages: MessageStore; readonly owned: OwnedConnection },
  socket: Pick<SendingSocket, 'chatOf'>,
): Promise<readonly (readonly [chat: string, place: string])[]> {
  const found: (readonly [chat: string, place: string])[] = [];
  for (let after: string | undefined; ;) {
    const rows = await messages.listParked(owned.connectionId, PAGE, after);
    for (const { to, messageId, sequenceNumber } of rows) {
      const message = to === undefined ? await messages.find(owned.connectionId, messageId) : undefined;
      const address = to ?? (message?.direction === 'out' ? message.to : '');
      found.push([await socket.chatOf(address), sequenceNumber]);
    }
    after = rows.at(-1)?.sequenceNumber;
    if (rows.length < PAGE) return found;
  }
}
