import * as fc from 'fast-check';
import { ulid } from 'ulid';
import { describe, expect, it } from 'vitest';
import type { ChatRow } from '../../../shared/chat/chat.ts';
import { afterNews, merged, newChat, type OwnNews } from '../../../shared/chat/planChat.ts';
import type { MessageId } from '../../../shared/kernel/id.ts';

const ID = '222@lid';
const idAt = (atMs: number): MessageId => `msg_${ulid(atMs, () => 0.5)}` as MessageId;
const message = (atMs: number, counts: 'more' | 'none' | 'same' = 'more', writtenAtMs = atMs): OwnNews => ({
  id: ID,
  news: 'message',
  messageId: idAt(atMs),
  atMs,
  writtenAtMs,
  counts,
});
const read = (atMs: number, messages: number): OwnNews => ({ id: ID, news: 'read', upTo: idAt(atMs), messages });
const after = (...news: readonly OwnNews[]): ChatRow => afterNews(newChat({ id: ID }), news);

describe('a chat', () => {
  it.each<[what: string, news: readonly OwnNews[], expected: Partial<ChatRow>]>([
    ['counts what comes', [message(1_000), message(2_000)], { unread: 2, lastMessageId: idAt(2_000), lastAtMs: 2_000 }],
    [
      'counts no reaction, which is the newest all the same',
      [message(1_000), message(2_000, 'same')],
      { unread: 1, lastAtMs: 2_000 },
    ],
    [
      'has nothing unread once the account writes',
      [message(1_000), message(2_000, 'none')],
      { unread: 0, lastAtMs: 2_000 },
    ],
    [
      'counts an older message neither as newest nor as unread',
      [message(2_000), message(1_000)],
      { unread: 1, lastAtMs: 2_000 },
    ],
    ['has nothing unread where all of it were marked', [message(1_000), message(2_000), read(2_000, 1)], { unread: 0 }],
    [
      'has fewer unread where some were marked',
      [message(1_000), message(2_000), message(3_000), read(1_000, 1)],
      { unread: 2 },
    ],
    ['has never less than nothing unread', [message(1_000), message(2_000), read(1_000, 7)], { unread: 0 }],
    [
      'is read once it is marked as read',
      [message(1_000), { id: ID, news: 'marked', unread: false }],
      { unread: 0, markedUnread: false },
    ],
    [
      'keeps its unread ones where it is marked as unread',
      [message(1_000), { id: ID, news: 'marked', unread: true }],
      { unread: 1, markedUnread: true },
    ],
    [
      'is no longer marked as unread once the account writes',
      [{ id: ID, news: 'marked', unread: true }, message(1_000, 'none')],
      { markedUnread: false },
    ],
    [
      'keeps one mark while another changes',
      [
        { id: ID, news: 'marked', archived: true },
        { id: ID, news: 'marked', pinned: true, mutedUntilMs: -1 },
      ],
      { archived: true, pinned: true, mutedUntilMs: -1 },
    ],
    [
      'has nothing unread once another device has shown it',
      [message(10_000), { id: ID, news: 'marked', unread: true }, { id: ID, news: 'seen', atMs: 10_000 }],
      { unread: 0, markedUnread: false },
    ],
    [
      'has unread what came after another device had shown it',
      [message(10_000), message(20_000), { id: ID, news: 'seen', atMs: 10_000 }],
      { unread: 2 },
    ],
    [
      'has nothing unread where another device has shown what came here later, when somebody was there to take it',
      [message(60_000, 'more', 9_000), message(60_001, 'more', 10_000), { id: ID, news: 'seen', atMs: 10_000 }],
      { unread: 0, lastAtMs: 60_001 },
    ],
    [
      'has unread what was written after another device had shown it, and came here later',
      [message(60_000, 'more', 9_000), message(60_001, 'more', 11_000), { id: ID, news: 'seen', atMs: 10_000 }],
      { unread: 2 },
    ],
    [
      'is deleted with what was written before that and came here later',
      [message(60_000, 'more', 9_000), { id: ID, news: 'deleted', atMs: 10_500 }],
      { unread: 0, lastAtMs: 60_000, deletedAtMs: 60_000 },
    ],
    [
      'keeps what was written after it was deleted, in the same second',
      [message(60_000, 'more', 10_000), { id: ID, news: 'deleted', atMs: 10_500 }],
      { unread: 1, deletedAtMs: 10_500 },
    ],
    [
      'shows nothing unread once it is cleared, and what comes later',
      [message(1_000), { id: ID, news: 'cleared', atMs: 1_500 }, message(2_000)],
      { unread: 1, lastAtMs: 2_000, clearedAtMs: 1_500 },
    ],
    [
      'has nothing unread once it is deleted',
      [message(1_000), { id: ID, news: 'deleted', atMs: 1_500 }],
      { unread: 0, deletedAtMs: 1_500 },
    ],
    [
      'keeps what came after it was deleted',
      [message(2_000), { id: ID, news: 'deleted', atMs: 1_500 }],
      { unread: 1, lastAtMs: 2_000 },
    ],
    [
      'has the number that was told last',
      [{ ...message(1_000), number: '4915100000002' }],
      { number: '4915100000002' },
    ],
    ['has the subject that was told last', [{ id: ID, news: 'named', subject: 'Staff' }], { subject: 'Staff' }],
  ])('%s', (_what, news, expected) => {
    expect(after(...news)).toMatchObject({ id: ID, version: 1, ...expected });
  });

  const anyNews = fc.oneof(
    fc
      .record({ atMs: fc.integer({ min: 1, max: 50 }), counts: fc.constantFrom('more', 'none', 'same') })
      .map(({ atMs, counts }) => message(atMs, counts)),
    fc
      .record({ atMs: fc.integer({ min: 1, max: 50 }), messages: fc.integer({ min: 1, max: 9 }) })
      .map(({ atMs, messages }) => read(atMs, messages)),
    fc.record({ unread: fc.boolean() }).map(({ unread }): OwnNews => ({ id: ID, news: 'marked', unread })),
  );

  it('is never changed by the same messages and marks of messages once more, and never has less than nothing unread', () => {
    fc.assert(
      fc.property(fc.array(anyNews, { maxLength: 12 }), (news) => {
        const repeatable = news.filter((one) => one.news !== 'marked');
        const once = after(...repeatable);

        expect(afterNews(once, repeatable)).toBe(once);
        expect(after(...news).unread).toBeGreaterThanOrEqual(0);
        expect(once.lastAtMs).toBe(Math.max(0, ...repeatable.map((one) => (one.news === 'message' ? one.atMs : 0))));
      }),
    );
  });

  it('takes the place of another one that was the same: the newer message, all unread ones, the marks of both', () => {
    const into: ChatRow = { ...after(message(2_000)), archived: false };
    const was: ChatRow = {
      ...after(message(1_000), message(3_000)),
      id: '4915100000002@s.whatsapp.net',
      pinned: true,
      archived: true,
    };

    expect(merged(into, was)).toMatchObject({
      id: ID,
      unread: 3,
      lastAtMs: 3_000,
      lastMessageId: idAt(3_000),
      archived: false,
      pinned: true,
      version: 2,
    });
    expect(merged(after(message(4_000)), was)).toMatchObject({ unread: 3, lastAtMs: 4_000 });
  });

  it.each<[what: string, one: number | undefined, other: number | undefined, expected: number | undefined]>([
    ['the first', 2_000, undefined, 2_000],
    ['the other', undefined, 5_000, 5_000],
    ['both, the other later', 2_000, 5_000, 5_000],
    ['both, the first later', 5_000, 2_000, 5_000],
    ['neither', undefined, undefined, undefined],
  ])('is cleared and deleted up to the later of two moments, where the account did so to %s', (...row) => {
    const [, one, other, expected] = row;
    const into: ChatRow = { ...after(message(1_000)), clearedAtMs: one, deletedAtMs: one };
    const was: ChatRow = { ...after(message(4_000)), clearedAtMs: other, deletedAtMs: other };

    expect(merged(into, was)).toMatchObject({ clearedAtMs: expected, deletedAtMs: expected, lastAtMs: 4_000 });
  });
});
