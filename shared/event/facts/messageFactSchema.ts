import { z } from 'zod';
import { inboundContentSchema, boundContent, messageFlagsSchema, type InboundContent } from '../../content/content.ts';
import { boundWord, wellFormed } from '../../content/contentBounds.ts';
import { boundContext, messageContextSchema, type MessageContext } from '../../content/messageContext.ts';
import { firstCharacters } from '../../kernel/firstCharacters.ts';
import { sealUses } from '../../wire/sealed.ts';
import { factBounds } from './factBounds.ts';
import { partFields } from './messageParts.ts';
import { address, commonFields, fitted, stanzaId, timeMs, whatsAppId } from './factField.ts';

/** The longest sealed part in characters of base64: an edit of the longest text fits. */
const SEALED_CHARACTERS = 400_000;

export const messageFactSchema = z.object({
  ...commonFields,
  kind: z.literal('message'),
  stanzaId,
  /** The conversation: a person or a group, without device. */
  chat: address,
  /** The person who wrote it, without device. In a group this is not the chat. */
  sender: address,
  /** The phone-number address when chat or sender is a LID, and the other way round, where WhatsApp gave it. */
  chatAlias: address.optional(),
  senderAlias: address.optional(),
  fromMe: z.boolean(),
  senderName: fitted(z.string(), (name) => firstCharacters(wellFormed(name), factBounds.nameCharacters)).optional(),
  /** The handle of the sender, as WhatsApp's server wrote it on the stanza. */
  senderUsername: fitted(z.string(), (name) =>
    firstCharacters(wellFormed(name), factBounds.usernameCharacters),
  ).optional(),
  /** The time at which it reached the worker; it grows from message to message. Absent in facts of an earlier release. */
  receivedAtMs: timeMs.optional(),
  content: fitted(inboundContentSchema, (content) => boundContent(content as InboundContent)),
  /** The wrappings of the message, such as `viewOnce`; absent when it had none. */
  flags: fitted(messageFlagsSchema, (flags) => flags.slice(0, factBounds.flags).map(boundWord)).optional(),
  ...partFields,
  context: fitted(messageContextSchema, (context) => boundContext(context as MessageContext)).optional(),
  /** The secret of the message, in base64url. */
  secret: z.string().length(43).optional(),
  /** The id of the message that this one is about. */
  originalId: whatsAppId.optional(),
  /** The author of that message as this one names it, with the other name; absent where none is named. */
  originalSender: address.optional(),
  originalSenderAlias: address.optional(),
  /** Whether that author is the account itself. */
  originalFromMe: z.boolean().optional(),
  /** Present where that message is a status, though this one came in the chat with a person. */
  originalInStatus: z.literal(true).optional(),
  /** What this message does to the original. */
  act: z.enum(['edit', 'delete']).optional(),
  /** WhatsApp's server says that an administrator of the group takes the original back. */
  asAdmin: z.literal(true).optional(),
  /** A part that only the secret of the original opens, in base64. */
  sealed: z
    .object({ use: z.enum(sealUses), payload: z.string().max(SEALED_CHARACTERS), iv: z.string().max(64) })
    .optional(),
});

/** A message that WhatsApp delivered: from a contact, or the account's own from another device (`fromMe`). */
export type MessageFact = z.infer<typeof messageFactSchema>;
