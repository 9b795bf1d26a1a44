import type { Content, OutboundContent } from '../content/content.ts';
import type { MessageId, StanzaId } from '../kernel/id.ts';

/**
 * The circumstances of a message that a tenant sends, in the words of `MessageContext`: what it answers, whom it mentions,
 * and how long it stays. They are settled when the message is accepted, so that a later try needs no other row: the
 * message that is answered may be gone by then.
 */
export interface SentContext {
  readonly replyTo?: Answered | undefined;
  readonly mentions?: readonly string[] | undefined;
  readonly mentionsEveryone?: true | undefined;
  /** How often it was forwarded, this time included; absent where it was not. */
  readonly forwarded?: number | undefined;
  /** The seconds after which it disappears. */
  readonly expiresIn?: number | undefined;
}

/** The message that is answered. */
export interface Answered {
  readonly messageId: MessageId;
  readonly stanzaId: StanzaId;
  /** The address of its author, without device; undefined for the account itself. */
  readonly sender?: string | undefined;
  /** The chat that it is in, where the answer goes to another one: a word of a group that is answered to its author alone. */
  readonly chat?: string | undefined;
  /** It is a status, which is answered in the chat with its author. */
  readonly inStatus?: true | undefined;
  /** What it says, or the beginning of that where it is long. */
  readonly quoted: Content | OutboundContent;
}
