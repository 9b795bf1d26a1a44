import type { MessageId } from '../../kernel/id.ts';
import type { Message } from '../../message/message.ts';
import { isGroup } from '../../message/recipient.ts';
import type { FactContext } from './factRow.ts';
import type { MessageFact } from './messageFactSchema.ts';
import { chatOfOriginal } from './namedChat.ts';

/**
 * The right to change a message, and which message is meant. Ids of messages are no secret, and a writer can name any message as
 * its own; so a message is looked for under the chat and the author that are named, and the author has to be the one who
 * writes, by the address that WhatsApp's server puts on the stanza:
 *
 * | what is done | by whom                                                      | counts |
 * | ------------ | ------------------------------------------------------------ | ------ |
 * | edit, delete | the author of the message, under either address              | yes    |
 * | delete       | somebody else, in a group, as an administrator by the server | yes    |
 * | edit, delete | anybody else                                                 | no     |
 *
 * That the server lets only administrators say so is what clients rely on, too; nobody has verified it.
 */
export interface FoundOriginal {
  readonly messageId: MessageId;
  readonly message: Message;
}

/** The message that a fact is about, if it is kept, and in the same chat, or a status where the fact says so. */
export function findOriginal(fact: MessageFact, { named }: Pick<FactContext, 'named'>): FoundOriginal | undefined {
  const [first] = named;
  if (fact.originalId === undefined || first?.message === undefined) return undefined;
  return isInChat(first.message, chatOfOriginal(fact))
    ? { messageId: first.messageId, message: first.message }
    : undefined;
}

/** Whether a message is in the chat of a fact, by any name of either. */
export function isInChat(message: Message, { chat, chatAlias }: Pick<MessageFact, 'chat' | 'chatAlias'>): boolean {
  const names =
    message.direction === 'out' ? [message.to, message.resolvedTo, message.toAlias] : [message.chat, message.chatAlias];
  return names.some((name) => name !== undefined && (name === chat || name === chatAlias));
}

/** Whether the writer is the author of the message that it is about. */
export function mayEdit(fact: MessageFact): boolean {
  const { fromMe, originalFromMe, sender, senderAlias, originalSender, originalSenderAlias } = fact;
  if (fromMe || originalFromMe === true) return fromMe && originalFromMe === true;
  const authors = [originalSender, originalSenderAlias].filter((name) => name !== undefined);
  return authors.some((name) => name === sender || name === senderAlias);
}

export function mayDelete(fact: MessageFact): boolean {
  return mayEdit(fact) || (fact.asAdmin === true && isGroup(fact.chat));
}
