/**
 * Whom a message of ours went to, and whose word on it counts. The id of a message is no secret: every device that got the
 * message knows it, and anybody can put an id into a stanza. What counts is who sends the stanza, by the addresses that
 * WhatsApp's server writes on it (`docs/trust.md`):
 *
 * | the message went to | a receipt comes from                        | it is the word of       |
 * | ------------------- | ------------------------------------------- | ----------------------- |
 * | a person            | that person, under either address           | the recipient           |
 * | a person            | anybody else, a group                       | nobody                  |
 * | a group             | that group, and names who of it             | that member             |
 * | a group             | another group, or a person                  | nobody                  |
 */
export interface Addressed {
  /** The address that was asked for: a person's, by number or LID, or a group's. */
  readonly to: string;
  /** The one that WhatsApp named for it, where that is another. */
  readonly resolvedTo?: string | undefined;
  /** Other names of the same person. */
  readonly toAlias?: string | undefined;
  readonly resolvedToAlias?: string | undefined;
}

/** Who sends a receipt, and from where, without device; with the other name of each where it is known. */
export interface ReceiptOrigin {
  readonly chat: string;
  readonly chatAlias?: string | undefined;
  readonly recipient: string;
  readonly recipientAlias?: string | undefined;
}

/** Whether a message went into a chat. @param names all names of the chat, without device */
export function wentTo(message: Addressed, names: readonly (string | undefined)[]): boolean {
  const { to, resolvedTo, toAlias, resolvedToAlias } = message;
  const known = [to, resolvedTo, toAlias, resolvedToAlias].filter((name) => name !== undefined);
  return known.some((name) => names.includes(name));
}

export function isGroup(address: string): boolean {
  return address.endsWith('@g.us');
}

/** Whether a receipt is the word of one of those that the message went to. */
export function isWordOfRecipient(message: Addressed, receipt: ReceiptOrigin): boolean {
  const { chat, chatAlias, recipient, recipientAlias } = receipt;
  if (isGroup(message.to)) return chat === message.to && recipient !== '' && recipient !== chat;
  // In a chat with one person nobody but that person has anything to say.
  return wentTo(message, [chat, chatAlias]) && wentTo(message, [recipient, recipientAlias]);
}
