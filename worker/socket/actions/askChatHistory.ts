import { proto } from '@whiskeysockets/baileys';
import { isPerson, toRecipient } from '../../../shared/kernel/jid.ts';
import type { Message } from '../../../shared/message/message.ts';
import { toChat } from '../../../shared/message/party.ts';
import { toNamed, refused } from './sharedStateChange.ts';
import type { Ask } from './asking.ts';

/** Asks the phone for what is older than the oldest message of a chat that is known here. */
export const askChatHistory: Ask<'chat_history_fetch'> = async (asking, { chat, messages }) => {
  const { recipients, otherNameOf, kept, phone } = asking;
  const to = toRecipient(chat) ?? chat;
  const address = isPerson(to) ? await recipients.resolve(to) : to;
  if (address === undefined) return refused({ code: 'recipient_has_no_account' });
  const alias = await otherNameOf(address);
  const names = [address, alias].filter((name) => name !== undefined);
  const oldest = (await kept.oldestIn(names)) ?? (await kept.newestIn(names));
  const named = oldest === undefined ? undefined : toNamed(oldest);
  if (oldest === undefined || named === undefined) return refused({ code: 'no_message_known' });
  const answer = await phone.askForHistory(toRequest(named, messages));
  if (answer === 'silent') return refused({ code: 'phone_offline' });
  return {
    outcome: 'succeeded',
    result: { chat: toChat(address, alias), before: new Date(atMsOf(oldest)).toISOString() },
  };
};

function atMsOf(message: Message): number {
  return message.direction === 'out' ? (message.sentAtMs ?? message.createdAtMs) : message.createdAtMs;
}

/** Source of the form: `fetchMessageHistory` of Baileys. That phones answer it as they answer there is believed. */
function toRequest(
  { chat, stanzaId, fromMe, atMs }: NonNullable<ReturnType<typeof toNamed>>,
  messages: number,
): proto.Message.IPeerDataOperationRequestMessage {
  return {
    peerDataOperationRequestType: proto.Message.PeerDataOperationRequestType.HISTORY_SYNC_ON_DEMAND,
    historySyncOnDemandRequest: {
      chatJid: chat,
      oldestMsgFromMe: fromMe,
      oldestMsgId: stanzaId,
      oldestMsgTimestampMs: atMs,
      onDemandMsgCount: messages,
    },
  };
}
