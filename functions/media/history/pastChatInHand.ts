import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { HistoryCounts, NoticeInHand } from '../../../shared/history/historyNotice.ts';
import type { LiveCopies } from '../../../shared/history/liveCopies.ts';
import { toPastMessage, type PastMessage } from '../../../shared/history/toPastMessage.ts';
import { writeTogether } from '../../../shared/event/recording/writeRows.ts';
import type { MessageId } from '../../../shared/kernel/id.ts';
import { mediaOf } from '../../../shared/media/media.ts';
import { toMediaItem } from '../../../shared/media/mediaStore.ts';
import type { PastMessages } from '../../../shared/message/pastMessages.ts';
import type { Surroundings } from '../../../shared/platform/surroundings.ts';
import { tableName } from '../../../shared/platform/tables.ts';

export interface PastChatParts extends Pick<Surroundings, 'clock'> {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
  readonly past: Pick<PastMessages, 'write' | 'findIds'>;
  readonly live: Pick<LiveCopies, 'among'>;
}

/** The messages of a chat that are held before they are written, and their bytes: it bounds memory, however long the chat is. */
const HELD_MESSAGES = 2_000;
const HELD_BYTES = 8 * 1_024 * 1_024;

/** The names of a chat; `nameless`: the history says none; `none`: it is no chat here. */
export type PastChatName = { readonly chat: string; readonly chatAlias?: string } | 'none' | 'nameless';

/** One chat of a history, as its messages come. */
export class PastChatInHand {
  readonly name: PastChatName;
  readonly #parts: PastChatParts;
  readonly #notice: NoticeInHand;
  readonly #otherNameOf: (address: string) => string | undefined;
  #held = new Map<MessageId, PastMessage>();
  #heldBytes = 0;
  #counts = { stored: 0, known: 0, acts: 0, system: 0, unreadable: 0 };
  #newest: { readonly messageId: MessageId; readonly atMs: number } | undefined;

  constructor(
    parts: PastChatParts,
    notice: NoticeInHand,
    name: PastChatName,
    otherNameOf: (address: string) => string | undefined,
  ) {
    this.#parts = parts;
    this.#notice = notice;
    this.name = name;
    this.#otherNameOf = otherNameOf;
  }

  /** The newest message that the history brought, if the connection does not have it by itself. */
  get newest(): { readonly messageId: MessageId; readonly atMs: number } | undefined {
    return this.#newest;
  }

  /** Takes the next message. @param bytes undefined for one that cannot be read */
  async add(bytes: Uint8Array | undefined): Promise<void> {
    const { name } = this;
    if (typeof name === 'string' || bytes === undefined) {
      this.#counts[name === 'none' ? 'system' : 'unreadable'] += 1;
      return;
    }
    const { tenantId, connectionId, own } = this.#notice;
    const nowMs = this.#parts.clock.nowMs();
    const read = toPastMessage(bytes, { tenantId, connectionId, ...name, own, otherNameOf: this.#otherNameOf, nowMs });
    if (typeof read === 'string') {
      this.#counts[read] += 1;
      return;
    }
    if (this.#held.has(read.message.messageId)) {
      this.#counts.known += 1;
      return;
    }
    this.#held.set(read.message.messageId, read);
    this.#heldBytes += bytes.length;
    if (this.#held.size >= HELD_MESSAGES || this.#heldBytes >= HELD_BYTES) await this.#write();
  }

  /** Writes what is held. Returns what became of all messages of the chat. */
  async end(): Promise<Partial<HistoryCounts>> {
    await this.#write();
    return this.#counts;
  }

  async #write(): Promise<void> {
    const { name } = this;
    if (typeof name === 'string' || this.#held.size === 0) return;
    const { past, live, clock } = this.#parts;
    const { connectionId, noticeId } = this.#notice;
    const all = [...this.#held.values()].toSorted((one, other) =>
      one.message.messageId > other.message.messageId ? -1 : 1,
    );
    this.#held = new Map();
    this.#heldBytes = 0;
    const chats = [name.chat, name.chatAlias].filter((address) => address !== undefined);
    const ids = await past.findIds(
      this.#notice,
      chats,
      all.flatMap(({ keys }) => keys),
      clock.nowMs(),
    );
    const isThere = await live.among(connectionId, all);
    const idOf = ({ keys }: PastMessage): MessageId | undefined =>
      keys.map((key) => ids.get(key)).find((id) => id !== undefined);
    const stored = all.filter((one) => idOf(one) === undefined && !isThere.has(one.message.messageId));
    await past.write(this.#notice, name.chat, stored, { source: noticeId.slice(0, 8), nowMs: clock.nowMs() });
    await this.#writeFiles(stored);
    this.#counts.stored += stored.length;
    this.#counts.known += all.length - stored.length;
    for (const one of all) {
      const { messageId, createdAtMs: atMs } = one.message;
      if (isThere.has(messageId) || atMs <= (this.#newest?.atMs ?? 0)) continue;
      this.#newest = { messageId: idOf(one) ?? messageId, atMs };
    }
  }

  /** The rows of files: each is fetched when somebody asks for it. One that is there was asked for already. */
  async #writeFiles(stored: readonly PastMessage[]): Promise<void> {
    const { table, stage, clock } = this.#parts;
    const { correlationId, shard } = this.#notice;
    const writes = stored
      .flatMap(({ message }) => mediaOf({ ...message, correlationId, shard }))
      .map((media) => ({
        Put: {
          TableName: tableName(stage, 'core'),
          Item: { ...toMediaItem(media, clock.nowMs()) },
          ConditionExpression: 'attribute_not_exists(pk)',
        },
      }));
    for (const outcome of await writeTogether({ table }, writes)) {
      if (outcome === 'left') throw new Error('the rows of some files could not be written');
      if (typeof outcome === 'object') throw outcome.error;
    }
  }
}
