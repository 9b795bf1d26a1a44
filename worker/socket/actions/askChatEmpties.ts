import { toClearChange, toDeleteChatChange } from '../appState/kinds/emptyChat.ts';
import type { Ask } from './asking.ts';
import { changeChat } from './sharedStateChange.ts';

/** What takes the messages of a chat from the devices of the account. */
export const askChatClear: Ask<'chat_clear'> = (asking, { chat, keepStarred }) =>
  changeChat(asking, chat, ({ address, newest }, nowMs) => toClearChange(address, keepStarred, newest, nowMs), {
    cleared: true,
    keptStarred: keepStarred,
  });

export const askChatDelete: Ask<'chat_delete'> = (asking, { chat }) =>
  changeChat(asking, chat, ({ address, newest }, nowMs) => toDeleteChatChange(address, newest, nowMs), {
    deleted: true,
  });
