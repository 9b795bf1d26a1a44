import type { StateChange } from '../writePatch.ts';
import { toMessageRange, type NewestMessage } from './messageRange.ts';
import { toPinEntry } from './pinChat.ts';
import { chatIn, type StateKind } from './stateKind.ts';

/** A chat that goes into the archive, or comes back from it. */
export const archiveChat: StateKind = {
  toFact: ({ isRemoved, about: [name], value, key, atMs }) => {
    const chat = chatIn(name);
    const archived = isRemoved ? false : value.archiveChatAction?.archived;
    if (chat === undefined || typeof archived !== 'boolean') return undefined;
    return { kind: 'chat_mark', key, atMs, chat, archived };
  },
};

/**
 * The change that archives a chat up to its newest message. What is in the archive is not pinned, so a pin goes in the same
 * patch, where there is one. Source of the form: `BuildArchive` of whatsmeow, which takes the pin down in any case.
 */
export function toArchiveChange(
  chat: string,
  archived: boolean,
  newest: NewestMessage | undefined,
  nowMs: number,
): StateChange {
  const archiveChatAction = { archived, messageRange: toMessageRange(newest, nowMs) };
  const pin = archived ? [{ ...toPinEntry(chat, false, nowMs), onlyIfThere: true } as const] : [];
  return {
    collection: 'regular_low',
    entries: [{ index: ['archive', chat], value: { archiveChatAction, timestamp: nowMs }, formVersion: 3 }, ...pin],
  };
}
