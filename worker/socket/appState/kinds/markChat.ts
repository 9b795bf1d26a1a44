import type { StateChange } from '../writePatch.ts';
import { toMessageRange, type NewestMessage } from './messageRange.ts';
import { chatIn, type StateKind } from './stateKind.ts';

/** A chat that is marked as read or as unread. */
export const markChat: StateKind = {
  toFact: ({ isRemoved, about: [name], value, key, atMs }) => {
    const chat = chatIn(name);
    const read = value.markChatAsReadAction?.read;
    if (chat === undefined || isRemoved || typeof read !== 'boolean') return undefined;
    return { kind: 'chat_mark', key, atMs, chat, unread: !read };
  },
};

/** The change that marks a chat up to its newest message. Source of the form: `BuildMarkChatAsRead` of whatsmeow. */
export function toMarkChatChange(
  chat: string,
  read: boolean,
  newest: NewestMessage | undefined,
  nowMs: number,
): StateChange {
  const markChatAsReadAction = { read, messageRange: toMessageRange(newest, nowMs) };
  return {
    collection: 'regular_low',
    entries: [
      {
        index: ['markChatAsRead', chat],
        value: { markChatAsReadAction, timestamp: nowMs },
        formVersion: 3,
      },
    ],
  };
}
