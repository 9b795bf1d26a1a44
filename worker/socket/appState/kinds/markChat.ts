import type { StateChange } from '../writePatch.ts';
import { chatIn, type NamedInIndex, type StateKind } from './stateKind.ts';

/** A chat that is marked as read or as unread. */
export const markChat: StateKind = {
  toFact: ({ isRemoved, about: [name], value, key, atMs }) => {
    const chat = chatIn(name);
    const read = value.markChatAsReadAction?.read;
    if (chat === undefined || isRemoved || typeof read !== 'boolean') return undefined;
    return { kind: 'chat_mark', key, atMs, chat, unread: !read };
  },
};

/** The newest message of a chat, as far as it is known. */
export interface NewestMessage extends NamedInIndex {
  readonly atMs: number;
}

/**
 * The change that marks a chat. It names the newest message, up to which it holds; without one, the present moment. Source of
 * the form: `BuildMarkChatAsRead` of whatsmeow.
 */
export function toMarkChatChange(
  chat: string,
  read: boolean,
  newest: NewestMessage | undefined,
  nowMs: number,
): StateChange {
  const timestamp = Math.floor((newest?.atMs ?? nowMs) / 1_000);
  const messages =
    newest === undefined
      ? []
      : [
          {
            key: {
              remoteJid: newest.chat,
              id: newest.stanzaId,
              fromMe: newest.fromMe,
              ...(newest.sender === undefined || newest.sender === newest.chat ? {} : { participant: newest.sender }),
            },
            timestamp,
          },
        ];
  return {
    collection: 'regular_low',
    index: ['markChatAsRead', chat],
    value: {
      markChatAsReadAction: { read, messageRange: { lastMessageTimestamp: timestamp, messages } },
      timestamp: nowMs,
    },
    formVersion: 3,
  };
}
