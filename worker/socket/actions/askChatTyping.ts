import { isPerson, toRecipient } from '../../../shared/kernel/jid.ts';
import { toChat } from '../../../shared/message/party.ts';
import type { Ask } from './asking.ts';

/** Writes a chat state. WhatsApp acknowledges none, so it is only known that it has left. */
export const askChatTyping: Ask<'chat_typing'> = async (asking, { chat, state, seconds }) => {
  const { recipients, otherNameOf, presence } = asking;
  const to = toRecipient(chat) ?? chat;
  const address = isPerson(to) ? await recipients.resolve(to) : to;
  if (address === undefined) return { outcome: 'refused', error: { code: 'recipient_has_no_account' } };
  await presence.type(state, address, seconds * 1_000);
  const shown = { chat: toChat(address, await otherNameOf(address)), state, presence: presence.now };
  return { outcome: 'succeeded', result: shown };
};
