import { FOR_EVER, toShownMarks } from '../../../shared/message/chatMarks.ts';
import { toArchiveChange } from '../appState/kinds/archiveChat.ts';
import { toMarkChatChange } from '../appState/kinds/markChat.ts';
import { toMuteChange } from '../appState/kinds/muteChat.ts';
import { toPinChange } from '../appState/kinds/pinChat.ts';
import type { Ask } from './asking.ts';
import { changeChat } from './sharedStateChange.ts';

/** What the account does to a whole chat for itself alone. */
export const askChatRead: Ask<'chat_read'> = (asking, { chat }) =>
  changeChat(asking, chat, ({ address, newest }, nowMs) => toMarkChatChange(address, true, newest, nowMs), {
    unread: false,
  });

export const askChatUnread: Ask<'chat_unread'> = (asking, { chat }) =>
  changeChat(asking, chat, ({ address, newest }, nowMs) => toMarkChatChange(address, false, newest, nowMs), {
    unread: true,
  });

export const askChatArchive: Ask<'chat_archive'> = (asking, { chat }) =>
  changeChat(asking, chat, ({ address, newest }, nowMs) => toArchiveChange(address, true, newest, nowMs), {
    archived: true,
  });

export const askChatUnarchive: Ask<'chat_unarchive'> = (asking, { chat }) =>
  changeChat(asking, chat, ({ address, newest }, nowMs) => toArchiveChange(address, false, newest, nowMs), {
    archived: false,
  });

export const askChatPin: Ask<'chat_pin'> = (asking, { chat }) =>
  changeChat(asking, chat, ({ address }, nowMs) => toPinChange(address, true, nowMs), { pinned: true });

export const askChatUnpin: Ask<'chat_unpin'> = (asking, { chat }) =>
  changeChat(asking, chat, ({ address }, nowMs) => toPinChange(address, false, nowMs), { pinned: false });

/** A mute that would be over before it is written is none. */
export const askChatMute: Ask<'chat_mute'> = (asking, { chat, until }) => {
  const untilMs = until === undefined ? FOR_EVER : Date.parse(until);
  const mutedUntilMs = untilMs === FOR_EVER || untilMs > asking.nowMs() ? untilMs : 0;
  const { muted = false, ...end } = toShownMarks({ mutedUntilMs });
  return changeChat(asking, chat, ({ address }, nowMs) => toMuteChange(address, mutedUntilMs, nowMs), {
    muted,
    ...end,
  });
};

export const askChatUnmute: Ask<'chat_unmute'> = (asking, { chat }) =>
  changeChat(asking, chat, ({ address }, nowMs) => toMuteChange(address, 0, nowMs), { muted: false });
