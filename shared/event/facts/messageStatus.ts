import { z } from 'zod';
import { memberCountsSchema } from '../../message/memberReceipts.ts';
import type { SentMessage } from '../../message/message.ts';
import { chatSchema, contactSchema, toChat, toContact, type Contact } from '../../message/party.ts';
import { goesToMany } from '../../message/recipient.ts';
import { sendErrorSchema } from '../../message/sendError.ts';
import { eventRow, toDraft, type DraftOf } from './eventRow.ts';

const data = z
  .object({
    messageId: z.string(),
    stanzaId: z.string(),
    status: z.enum(['sent', 'delivered', 'read', 'played', 'failed', 'expired', 'cancelled']),
    recipient: contactSchema,
    chat: chatSchema.optional().meta({
      description: 'Where it was sent, if that is a group or a status. In a chat with one person, `recipient` says it.',
    }),
    resolvedTo: contactSchema.optional().meta({
      description: 'The account that WhatsApp named for the address, where that is another one: it was sent there.',
    }),
    error: sendErrorSchema.optional(),
    callbackData: z
      .string()
      .optional()
      .meta({ description: 'What the request had as `biz_opaque_callback_data`, where it had that.' }),
    members: memberCountsSchema.optional().meta({
      description: 'In a group: with how many members it is as far as that. `recipient` is the one that made it move.',
    }),
  })
  .meta({ id: 'MessageStatusData' });

/** The event of how far a sent message has come: made of results of sends and receipts, and when it never reached the queue. */
export const messageStatus = eventRow({
  type: 'message.status',
  data,
  description: 'A message that you sent has come further, or has ended.',
  example: {
    messageId: 'msg_01K3C5E9H1J3K5M7P9R1T3V5X7',
    stanzaId: '3EB0A1B2C3D4E5F60718',
    status: 'delivered',
    recipient: { id: '236471520047@lid', phoneNumber: '+4915123456789', lid: '236471520047@lid' },
  },
});

type StatusData = z.infer<typeof data>;

/** The event of one step of a message. The recipient has all names known; in a group it is the member who received the message. */
export function messageStatusDraft(
  message: SentMessage,
  atMs: number,
  { status, recipient, error, members }: Pick<StatusData, 'status' | 'recipient' | 'error' | 'members'>,
): DraftOf<typeof messageStatus> {
  const { messageId, stanzaId, to, resolvedTo, toAlias, callbackData } = message;
  const resolved = resolvedTo === undefined ? {} : { resolvedTo: toContact(resolvedTo, toAlias) };
  const told = {
    messageId,
    stanzaId,
    status,
    recipient,
    ...(goesToMany(to) ? { chat: toChat(to) } : {}),
    ...resolved,
    ...(error === undefined ? {} : { error }),
    ...(callbackData === undefined ? {} : { callbackData }),
    ...(members === undefined ? {} : { members }),
  };
  // The correlation id is that of the request that sent the message.
  return toDraft(messageStatus, message, atMs, told);
}

/** The recipient of a message, with all names known: the same at each state. */
export function recipientOf(
  { to, resolvedTo, toAlias }: SentMessage,
  ...told: readonly (string | undefined)[]
): Contact {
  return toContact(resolvedTo, to, toAlias, ...told);
}
