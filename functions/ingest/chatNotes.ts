import { chatNewsIn, type ChatNews } from '../../shared/chat/chatNews.ts';
import type { ChatName, ChatStore, ChatWrite } from '../../shared/chat/chatStore.ts';
import { afterNews, merged, newChat, type OwnNews } from '../../shared/chat/planChat.ts';
import type { ConnectionId } from '../../shared/kernel/id.ts';
import { withDeadline } from '../../shared/kernel/deadline.ts';
import { deadlines } from '../../shared/kernel/deadlines.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { RecordedOfConnection } from './peopleNotes.ts';

export interface ChatNotesParts extends Pick<Surroundings, 'clock' | 'logger' | 'metrics'> {
  readonly chats: Pick<ChatStore, 'readFor' | 'readExactly' | 'admit' | 'write' | 'merge'>;
}

/** How often news are noted anew because another process wrote the same chats. */
const TRIES = 3;

/** The news that make a chat where there is none. One that is named, cleared or deleted has nothing to show. */
const makes: ReadonlySet<OwnNews['news']> = new Set<OwnNews['news']>(['message', 'marked']);

/** News of one chat, in their order. */
interface NewsOfChat extends ChatName {
  readonly news: readonly OwnNews[];
}

/**
 * Notes what recorded events say about chats: which message is the newest of each, and how many are unread. All chats of an invocation are
 * read with one call and written with one for each 25, each on the condition that it is as it was read.
 *
 * Nothing waits for a note, and none is ever in the way of a message. One that fails is left: the chat's next message makes its place
 * good, and what was read next its number of unread ones. Whoever dies before a note was made gets the same events again, and news that a
 * chat has had change nothing (`planChat.ts`).
 */
export class ChatNotes {
  readonly #parts: ChatNotesParts;

  constructor(parts: ChatNotesParts) {
    this.#parts = parts;
  }

  /** Notes the chats in what was recorded of some connections, as far as there is time for it. Never rejects. */
  async note(recorded: readonly RecordedOfConnection[]): Promise<void> {
    const { logger } = this.#parts;
    const all = recorded.flatMap(({ source: { connectionId }, events, facts }) =>
      chatNewsIn(events, facts).map((news) => ({ connectionId, news })),
    );
    if (all.length === 0) return;
    try {
      await withDeadline('noting chats', deadlines.chatNotes.ms, () => this.#noteAll(all));
    } catch (error) {
      logger.warn('chats are not noted, and are when somebody writes there again', { error });
    }
  }

  async #noteAll(all: readonly { readonly connectionId: ConnectionId; readonly news: ChatNews }[]): Promise<void> {
    let left = byChat(all);
    for (let attempt = 0; left.length > 0 && attempt < TRIES; attempt += 1)
      left = await this.#noteOwn(left, attempt > 0);
    if (left.length > 0) throw new Error(`${left.length} chats are written by others all the time`);
    for (const { connectionId, news } of all) {
      if (news.news === 'merged') await this.#merge(connectionId, news.was, news);
    }
  }

  /** Notes the news of some chats. Returns those that somebody else has written meanwhile. */
  async #noteOwn(named: readonly NewsOfChat[], isConsistent: boolean): Promise<readonly NewsOfChat[]> {
    const { chats, clock } = this.#parts;
    const nowMs = clock.nowMs();
    const read = await chats.readFor(named, isConsistent, nowMs);
    // Two names may lead to one chat: its news are then one after the other.
    const kept = Map.groupBy(
      named.map((one, place) => ({ ...one, id: read[place]?.id ?? one.id, row: read[place]?.row })),
      ({ connectionId, id }) => `${connectionId} ${id}`,
    );
    const planned = [...kept.values()].flatMap((same) => {
      const [first] = same;
      if (first === undefined) return [];
      const { connectionId, id, row } = first;
      const news = same.flatMap((one) => one.news);
      if (row === undefined && news.every((one) => !makes.has(one.news))) return [];
      const is = afterNews(row ?? newChat({ id }), news);
      return is === row ? [] : [{ connectionId, was: row, is, news }];
    });
    const writes = await this.#admitted(planned, nowMs);
    const outcomes = await chats.write(writes, nowMs);
    return writes.flatMap(({ connectionId, is: { id }, news }, place) =>
      outcomes[place] === 'written' ? [] : [{ connectionId, id, news }],
    );
  }

  /** The writes without new chats of connections that have had too many today. */
  async #admitted<Write extends ChatWrite>(writes: readonly Write[], nowMs: number): Promise<readonly Write[]> {
    const { chats, metrics } = this.#parts;
    const made = Map.groupBy(
      writes.filter(({ was }) => was === undefined),
      ({ connectionId }) => connectionId,
    );
    const full = new Set<ConnectionId>();
    for (const [connectionId, { length }] of made) {
      if ((await chats.admit(connectionId, length, nowMs)) === 'admitted') continue;
      full.add(connectionId);
      metrics.count('ChatsNotKept', {}, length);
    }
    return writes.filter(({ was, connectionId }) => was !== undefined || !full.has(connectionId));
  }

  /** Makes one chat of two. Where somebody writes one of them meanwhile, both are read anew. */
  async #merge(
    connectionId: ConnectionId,
    was: string,
    into: { readonly id: string; readonly number?: string | undefined },
  ): Promise<void> {
    const { chats, clock } = this.#parts;
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      const nowMs = clock.nowMs();
      const gone = await chats.readExactly({ connectionId, id: was }, nowMs);
      if (gone === undefined) return;
      const row = await chats.readExactly({ connectionId, id: into.id }, nowMs);
      const is = merged(row ?? newChat(into), gone);
      if (await chats.merge({ connectionId, was: row, is }, gone, nowMs)) return;
    }
    throw new Error('two chats that are one are written by others all the time');
  }
}

function byChat(
  all: readonly { readonly connectionId: ConnectionId; readonly news: ChatNews }[],
): readonly NewsOfChat[] {
  const own = all.flatMap(({ connectionId, news }) => (news.news === 'merged' ? [] : [{ connectionId, news }]));
  const grouped = Map.groupBy(own, ({ connectionId, news }) => `${connectionId} ${news.id}`);
  return [...grouped.values()].flatMap((same) => {
    const [first] = same;
    if (first === undefined) return [];
    return [{ connectionId: first.connectionId, id: first.news.id, news: same.map(({ news }) => news) }];
  });
}
