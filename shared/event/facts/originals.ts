import type { Message } from '../../message/message.ts';
import { messageIdOf } from '../../kernel/sentIds.ts';
import type { ConnectionId, MessageId } from '../../kernel/id.ts';

/**
 * Another message that a fact names: the one that is answered, edited, or voted on. Whoever names it may lie about its id and
 * its author; so it is looked for only in the same chat, and only under the author that is named.
 */
export interface Naming {
  readonly stanzaId: string;
  /** The keys that the message may have as a fact, under all names of its chat and its author. */
  readonly keys: readonly string[];
  /** All addresses of its chat, where it may be one that a history brought. */
  readonly chats?: readonly string[];
  /** The message may be one that was sent through the API, which is no fact. */
  readonly mayBeOurs: boolean;
  /** The id of the message here, where whoever names it knows that: then nothing is looked for. */
  readonly messageId?: MessageId;
  /** Whether the decision needs the message itself, or its id alone. */
  readonly needs: 'id' | 'row';
  /** What an earlier fact may write that has to be there before this is looked for, by the name that it has in `writes`. */
  readonly after?: string;
}

/** A message that was named, as far as it was found. */
export interface NamedMessage {
  readonly messageId: MessageId;
  /** Present where it was asked for and is still kept. */
  readonly message?: Message | undefined;
}

/** The id that a named message has if that is known, or if it was sent through the API. */
export function ourIdOf(connectionId: ConnectionId, { stanzaId, mayBeOurs, messageId }: Naming): MessageId | undefined {
  if (messageId !== undefined) return messageId;
  return mayBeOurs ? messageIdOf(connectionId, stanzaId) : undefined;
}
