import type { CallFact, Fact, MessageFact, ReceiptFact } from '../../../shared/event/facts/fact.ts';
import { isPerson } from '../../../shared/kernel/jid.ts';
import { callKey, messageKey } from './factKey.ts';

/** The other name of each address for which it is known: a LID for a number, a number for a LID. */
export type OtherNames = ReadonlyMap<string, string>;

/** The addresses whose other name would complete these facts, because no stanza has given it. */
export function namelessIn(facts: readonly Fact[]): readonly string[] {
  const addresses = facts.flatMap((fact): readonly (string | false)[] => {
    if (fact.kind === 'message') {
      return [fact.chatAlias === undefined && fact.chat, fact.senderAlias === undefined && fact.sender];
    }
    if (fact.kind === 'receipt') {
      return [fact.chatAlias === undefined && fact.chat, fact.recipientAlias === undefined && fact.recipient];
    }
    return fact.kind === 'call' ? [fact.callerAlias === undefined && fact.caller] : [];
  });
  return [...new Set(addresses.filter((address) => address !== false && isPerson(address)) as string[])];
}

/**
 * A fact with both names of its people, where they are known, and with the keys that it has by the other names:
 * WhatsApp may bring the same stanza once by number and once by LID.
 */
export function withOtherNames(fact: Fact, names: OtherNames): Fact {
  if (fact.kind === 'message') return withKeys(completeMessage(fact, names), messageKeysOf);
  if (fact.kind === 'receipt') return completeReceipt(fact, names);
  return fact.kind === 'call' ? withKeys(completeCall(fact, names), callKeysOf) : fact;
}

function completeMessage(fact: MessageFact, names: OtherNames): MessageFact {
  const chatAlias = fact.chatAlias ?? names.get(fact.chat);
  const senderAlias = fact.senderAlias ?? names.get(fact.sender);
  return {
    ...fact,
    ...(chatAlias === undefined ? {} : { chatAlias }),
    ...(senderAlias === undefined ? {} : { senderAlias }),
  };
}

function completeReceipt(fact: ReceiptFact, names: OtherNames): ReceiptFact {
  const chatAlias = fact.chatAlias ?? names.get(fact.chat);
  const recipientAlias = fact.recipientAlias ?? names.get(fact.recipient);
  return {
    ...fact,
    ...(chatAlias === undefined ? {} : { chatAlias }),
    ...(recipientAlias === undefined ? {} : { recipientAlias }),
  };
}

function completeCall(fact: CallFact, names: OtherNames): CallFact {
  const callerAlias = fact.callerAlias ?? names.get(fact.caller);
  return { ...fact, ...(callerAlias === undefined ? {} : { callerAlias }) };
}

/** Adds the other keys of a fact. A receipt needs none: its message moves forward once, whoever is named. */
function withKeys<Keyed extends MessageFact | CallFact>(
  fact: Keyed,
  keysOf: (fact: Keyed) => readonly string[],
): Keyed {
  const otherKeys = keysOf(fact).filter((key) => key !== fact.key);
  return otherKeys.length === 0 ? fact : { ...fact, otherKeys };
}

function messageKeysOf(fact: MessageFact): readonly string[] {
  const { chat, chatAlias, sender, senderAlias } = fact;
  // In a chat with one person, chat and writer are that person, and change their name together.
  if (chat === sender) return [messageKey(fact), ...keyUnder(fact, chatAlias, chatAlias)];
  // Only one of the two changes the key: a group has one address, and our own account counts as one writer.
  return [messageKey(fact), ...keyUnder(fact, chatAlias, sender), ...keyUnder(fact, chat, senderAlias)];
}

function keyUnder(fact: MessageFact, chat: string | undefined, sender: string | undefined): readonly string[] {
  return chat === undefined || sender === undefined ? [] : [messageKey({ ...fact, chat, sender })];
}

function callKeysOf({ callId, caller, callerAlias }: CallFact): readonly string[] {
  return [caller, callerAlias].flatMap((name) => (name === undefined ? [] : [callKey(callId, name)]));
}
