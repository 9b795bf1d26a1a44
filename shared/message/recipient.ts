import { isStatus } from '../kernel/jid.ts';

/**
 * The recipient of a message of ours, and whose word on it counts. The id of a message is no secret: every device that
 * got the message knows it, and anybody can put an id into a stanza. The sender of the stanza decides, by the addresses
 * that WhatsApp's server writes on it (`docs/trust.md`):
 *
 * | the message went to | a receipt comes from               | it is the word of |
 * | ------------------- | ---------------------------------- | ----------------- |
 * | a person            | that person, under either address  | the recipient     |
 * | a person            | anybody else, a group              | nobody            |
 * | a group             | that group, and names who of it    | that member       |
 * | a group             | another group, or a person         | nobody            |
 * | status              | status, and names one of its viewers | that viewer     |
 * | status              | anywhere else, or names another    | nobody            |
 */
export interface Addressed {
  /** The address that was asked for: a person's, by number or LID, or a group's. */
  readonly to: string;
  /** The address that WhatsApp named for it, where that is another one. */
  readonly resolvedTo?: string | undefined;
  /** Other names of the same person. */
  readonly toAlias?: string | undefined;
  readonly resolvedToAlias?: string | undefined;
}

/**
 * The sender of a receipt, and the chat that it comes from, without device; with the other name of each where it is
 * known.
 */
export interface ReceiptOrigin {
  readonly chat: string;
  readonly chatAlias?: string | undefined;
  readonly recipient: string;
  readonly recipientAlias?: string | undefined;
}

/**
 * Whether a message went into a chat.
 * @param names all names of the chat, without device
 */
export function wentTo(message: Addressed, names: readonly (string | undefined)[]): boolean {
  const { to, resolvedTo, toAlias, resolvedToAlias } = message;
  const known = [to, resolvedTo, toAlias, resolvedToAlias].filter((name) => name !== undefined);
  return known.some((name) => names.includes(name));
}

export function isGroup(address: string): boolean {
  return address.endsWith('@g.us');
}

/** Whether what is sent there goes to several people, who say each for themselves how far it came. */
export function goesToMany(address: string): boolean {
  return isGroup(address) || isStatus(address);
}

/** Whether a receipt is the word of a recipient of the message. */
export function isWordOfRecipient(message: Addressed, receipt: ReceiptOrigin): boolean {
  const { chat, chatAlias, recipient, recipientAlias } = receipt;
  // The row of the receipts of a status names its viewers, and lets nobody else in.
  if (goesToMany(message.to)) return chat === message.to && recipient !== '' && recipient !== chat;
  // In a chat with one person only that person has a say.
  return wentTo(message, [chat, chatAlias]) && wentTo(message, [recipient, recipientAlias]);
}
