import { isPerson, toRecipient } from '../../../shared/kernel/jid.ts';
import { TimeoutError } from '../../../shared/kernel/deadline.ts';
import { parseId } from '../../../shared/kernel/id.ts';
import { isSent, type Message } from '../../../shared/message/message.ts';
import { toChat } from '../../../shared/message/party.ts';
import { isGroup } from '../../../shared/message/recipient.ts';
import type { Written } from '../appState/collections.ts';
import { toDeleteForMeChange } from '../appState/kinds/deleteForMe.ts';
import { toMarkChatChange, type NewestMessage } from '../appState/kinds/markChat.ts';
import { toStarChange } from '../appState/kinds/star.ts';
import type { StateChange } from '../appState/writePatch.ts';
import type { ActionError } from '../../../shared/action/actionError.ts';
import type { Ask, Asking } from './asking.ts';

/**
 * Actions that change the state that the account's devices share. A patch says how something is to be, so that one that is
 * written twice comes to the same; what another device does at the same moment is decided by the order at WhatsApp.
 */
export const askMessageStar: Ask<'message_star'> = (asking, { messageId }) =>
  changeMessage(asking, messageId, (message, nowMs) => toStarChange(message, true, nowMs), { starred: true });

export const askMessageUnstar: Ask<'message_unstar'> = (asking, { messageId }) =>
  changeMessage(asking, messageId, (message, nowMs) => toStarChange(message, false, nowMs), { starred: false });

export const askMessageDeleteForMe: Ask<'message_delete_for_me'> = (asking, { messageId }) =>
  changeMessage(asking, messageId, (message, nowMs) => toDeleteForMeChange(message, message.atMs, nowMs), {
    deletedForMe: true,
  });

export const askChatRead: Ask<'chat_read'> = (asking, { chat }) => markChat(asking, chat, { unread: false });

export const askChatUnread: Ask<'chat_unread'> = (asking, { chat }) => markChat(asking, chat, { unread: true });

type Refused = { readonly outcome: 'refused'; readonly error: ActionError };

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

async function markChat<Unread extends boolean>(asking: Asking, written: string, result: { readonly unread: Unread }) {
  const to = toRecipient(written) ?? written;
  const address = isPerson(to) ? await asking.recipients.resolve(to) : to;
  if (address === undefined) return refused({ code: 'recipient_has_no_account' });
  const alias = isGroup(address) ? undefined : await asking.otherNameOf(address);
  const found = await asking.kept.newestIn([address, alias].filter((name) => name !== undefined));
  const newest = found === undefined ? undefined : toNamed(found);
  // The other devices know a chat by the name under which its messages come.
  const chat = newest?.chat ?? address;
  const nowMs = asking.nowMs();
  const refusal = judge(await asking.appState.write(toMarkChatChange(chat, !result.unread, newest, nowMs)));
  if (refusal !== undefined) return refusal;
  return { outcome: 'succeeded', result: { chat: toChat(address, alias), ...result } } as const;
}

/** A message as WhatsApp names it; undefined for one that it does not have. */
function toNamed(message: Message): NewestMessage | undefined {
  const { stanzaId, createdAtMs } = message;
  if (message.direction === 'out') {
    if (!isSent(message.state)) return undefined;
    const atMs = message.sentAtMs ?? createdAtMs;
    return { chat: message.resolvedTo ?? message.to, stanzaId, fromMe: true, atMs };
  }
  const { chat, sender, direction } = message;
  return { chat, stanzaId, fromMe: direction === 'echo', sender, atMs: createdAtMs };
}

function aliasOf(
  { otherNameOf }: Asking,
  message: Message,
  chat: string,
): Promise<string | undefined> | string | undefined {
  const known = message.direction === 'out' ? message.toAlias : message.chatAlias;
  return known ?? (isGroup(chat) ? undefined : otherNameOf(chat));
}

/**
 * The refusal that an end means; undefined for success. Throws where WhatsApp may be asked again, as for any other question: a
 * number that is not final, other devices that were faster each time, or a change that WhatsApp has and nobody was told of.
 */
function judge(written: Written): Refused | undefined {
  switch (written.end) {
    case 'written':
      return undefined;
    case 'key_missing':
      return refused({ code: 'app_state_key_missing' });
    case 'damaged':
      return refused({ code: 'app_state_damaged' });
    case 'refused':
      throw new StateRefusal(written.code);
    default:
      throw new TimeoutError('writing app state', 0);
  }
}

/** A refusal in the form of those of Baileys, which `askWhatsApp` judges by its number. */
class StateRefusal extends Error {
  override readonly name = 'StateRefusal';
  readonly data: number;

  constructor(code: number) {
    super(`app state was refused with ${code}`);
    this.data = code;
  }
}

function refused(error: ActionError): Refused {
  return { outcome: 'refused', error };
}
