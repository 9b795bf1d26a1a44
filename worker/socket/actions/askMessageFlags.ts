import { parseId } from '../../../shared/kernel/id.ts';
import type { Message } from '../../../shared/message/message.ts';
import { toChat } from '../../../shared/message/party.ts';
import { isGroup } from '../../../shared/message/recipient.ts';
import { toDeleteForMeChange } from '../appState/kinds/deleteForMe.ts';
import type { NewestMessage } from '../appState/kinds/messageRange.ts';
import { toStarChange } from '../appState/kinds/star.ts';
import type { StateChange } from '../appState/writePatch.ts';
import type { Ask, Asking } from './asking.ts';
import { judge, refused, toNamed } from './sharedStateChange.ts';

/** What the account does to a message for itself alone. */
export const askMessageStar: Ask<'message_star'> = (asking, { messageId }) =>
  changeMessage(asking, messageId, (message, nowMs) => toStarChange(message, true, nowMs), { starred: true });

export const askMessageUnstar: Ask<'message_unstar'> = (asking, { messageId }) =>
  changeMessage(asking, messageId, (message, nowMs) => toStarChange(message, false, nowMs), { starred: false });

export const askMessageDeleteForMe: Ask<'message_delete_for_me'> = (asking, { messageId }) =>
  changeMessage(asking, messageId, (message, nowMs) => toDeleteForMeChange(message, message.atMs, nowMs), {
    deletedForMe: true,
  });

async function changeMessage<Result extends object>(
  asking: Asking,
  id: string,
  toChange: (message: NewestMessage, nowMs: number) => StateChange,
  result: Result,
) {
  const messageId = parseId('msg', id);
  const message = messageId === undefined ? undefined : await asking.kept.find(messageId);
  if (messageId === undefined || message === undefined) return refused({ code: 'message_not_found' });
  const named = toNamed(message);
  if (named === undefined) return refused({ code: 'message_not_sent' });
  const refusal = judge(await asking.appState.write(toChange(named, asking.nowMs())));
  if (refusal !== undefined) return refusal;
  const chat = toChat(named.chat, await aliasOf(asking, message, named.chat));
  return { outcome: 'succeeded', result: { chat, messageId, ...result } } as const;
}

function aliasOf(
  { otherNameOf }: Asking,
  message: Message,
  chat: string,
): Promise<string | undefined> | string | undefined {
  const known = message.direction === 'out' ? message.toAlias : message.chatAlias;
  return known ?? (isGroup(chat) ? undefined : otherNameOf(chat));
}
