import type { proto } from '@whiskeysockets/baileys';
import { LAST_MS } from '../../../../shared/kernel/lastMs.ts';
import type { StateChange } from '../writePatch.ts';
import { toMessageRange, type NewestMessage } from './messageRange.ts';
import { chatIn, type StateKind } from './stateKind.ts';

const YES = '1';
const NO = '0';

/** A chat whose messages the account has taken out for itself. They do not come back: a record that is removed tells nothing. */
export const clearChat: StateKind = {
  toFact: ({ isRemoved, about: [name, withStarred], value, key, atMs }) => {
    const chat = chatIn(name);
    if (chat === undefined || isRemoved || !value.clearChatAction) return undefined;
    const keptStarred = withStarred === NO;
    return { kind: 'chat_emptied', key, atMs, chat, how: 'cleared', keptStarred, ...endOf(value.clearChatAction) };
  },
};

/** A chat that the account has deleted for itself. */
export const deleteChat: StateKind = {
  toFact: ({ isRemoved, about: [name], value, key, atMs }) => {
    const chat = chatIn(name);
    if (chat === undefined || isRemoved || !value.deleteChatAction) return undefined;
    return {
      kind: 'chat_emptied',
      key,
      atMs,
      chat,
      how: 'deleted',
      keptStarred: false,
      ...endOf(value.deleteChatAction),
    };
  },
};

function endOf({ messageRange }: proto.SyncActionValue.IClearChatAction): { readonly untilMs?: number } {
  const untilMs = Number(messageRange?.lastMessageTimestamp ?? 0) * 1_000;
  return Number.isSafeInteger(untilMs) && untilMs > 0 && untilMs <= LAST_MS ? { untilMs } : {};
}

/** The change that clears a chat up to its newest message. Source of the form: Baileys (`clear`). */
export function toClearChange(
  chat: string,
  keepsStarred: boolean,
  newest: NewestMessage | undefined,
  nowMs: number,
): StateChange {
  return {
    collection: 'regular_high',
    entries: [
      {
        index: ['clearChat', chat, keepsStarred ? NO : YES, NO],
        value: { clearChatAction: { messageRange: toMessageRange(newest, nowMs) }, timestamp: nowMs },
        formVersion: 6,
      },
    ],
  };
}

/** The change that deletes a chat with its files. Source of the form: `BuildDeleteChat` of whatsmeow. */
export function toDeleteChatChange(chat: string, newest: NewestMessage | undefined, nowMs: number): StateChange {
  return {
    collection: 'regular_high',
    entries: [
      {
        index: ['deleteChat', chat, YES],
        value: { deleteChatAction: { messageRange: toMessageRange(newest, nowMs) }, timestamp: nowMs },
        formVersion: 6,
      },
    ],
  };
}
