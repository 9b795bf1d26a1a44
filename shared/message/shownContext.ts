import { z } from 'zod';
import type { MessageContext } from '../content/messageContext.ts';
import { contactSchema, toContact } from './party.ts';

/** The circumstances of a message, as the API and its events show them. */
export const shownContextSchema = z
  .object({
    replyTo: z
      .object({
        messageId: z.string().optional().meta({ description: 'Its id here, where the message is known here.' }),
        stanzaId: z.string(),
        sender: contactSchema.optional(),
        inStatus: z.literal(true).optional().meta({ description: 'It is a status.' }),
      })
      .optional()
      .meta({ description: 'The message that it answers.' }),
    mentions: z.array(contactSchema).optional(),
    mentionsEveryone: z.literal(true).optional().meta({ description: 'Everybody in the group is mentioned.' }),
    groupMentions: z.array(z.object({ id: z.string(), subject: z.string().optional() })).optional(),
    forwarded: z.number().int().optional().meta({
      description: 'How often it was forwarded, where that is told; WhatsApp says "many times" from 5 on.',
    }),
    expiresIn: z.number().int().optional().meta({ description: 'The seconds after which it disappears.' }),
    referral: z
      .record(z.string(), z.string())
      .optional()
      .meta({ description: "The advertisement that led here, as in the Cloud API's `referral`." }),
  })
  .meta({
    id: 'MessageContext',
    description: 'What a message is an answer to, whom it mentions, and where it comes from.',
  });
export type ShownContext = z.infer<typeof shownContextSchema>;

export function toShownContext(context: MessageContext): ShownContext {
  const { replyTo, mentions, mentionsEveryone, groupMentions, forwarded, expiresIn, referral } = context;
  return {
    ...(replyTo === undefined ? {} : { replyTo: toShownReply(replyTo) }),
    ...(mentions === undefined ? {} : { mentions: mentions.map((address) => toContact(address)) }),
    ...(mentionsEveryone === undefined ? {} : { mentionsEveryone }),
    ...(groupMentions === undefined ? {} : { groupMentions: [...groupMentions] as ShownContext['groupMentions'] }),
    ...(forwarded === undefined ? {} : { forwarded }),
    ...(expiresIn === undefined ? {} : { expiresIn }),
    ...(referral === undefined ? {} : { referral: { ...referral } }),
  };
}

function toShownReply({
  messageId,
  stanzaId,
  sender,
  inStatus,
}: NonNullable<MessageContext['replyTo']>): NonNullable<ShownContext['replyTo']> {
  return {
    ...(messageId === undefined ? {} : { messageId }),
    stanzaId,
    ...(sender === undefined ? {} : { sender: toContact(sender) }),
    ...(inStatus === undefined ? {} : { inStatus }),
  };
}
