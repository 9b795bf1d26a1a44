import { STATUS } from '../../kernel/jid.ts';
import type { MessageFact } from './messageFactSchema.ts';

/** The names of a chat in which a message is looked for. */
export type ChatNames = Pick<MessageFact, 'chat' | 'chatAlias'>;
const STATUSES: ChatNames = { chat: STATUS };

/**
 * The chat in which the message is looked for that another one is about: the chat of that one, or the statuses, where it says
 * so. What changes a message comes in the chat of it.
 */
export function chatOfOriginal(fact: MessageFact): ChatNames {
  return fact.originalInStatus === true && fact.act === undefined ? STATUSES : fact;
}

/** The chat in which the message is looked for that another one answers. A status is answered in the chat with its author. */
export function chatOfAnswered(fact: MessageFact): ChatNames {
  return fact.context?.replyTo?.inStatus === true ? STATUSES : fact;
}
