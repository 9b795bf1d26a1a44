import type { CallFact, InternalEvent, MessageFact, ReceiptFact } from '../../../shared/event/internalEvent.ts';
import { isLid, isPerson } from '../../../shared/kernel/jid.ts';
import { callKey, messageKey } from './factKey.ts';

/** The other name of each address for which it is known: a LID for a number, a number for a LID. */
export type OtherNames = ReadonlyMap<string, string>;

/** The addresses whose other name would complete these facts, because no stanza has told it. */
export function namelessIn(facts: readonly InternalEvent[]): readonly string[] {
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
 * A fact with both names of its people, where they are known, and with the keys that it has by the others: WhatsApp may
 * bring the same stanza once by number and once by LID.
 */
export function withOtherNames(fact: InternalEvent, names: OtherNames): InternalEvent {
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

/**
 * The key by LIDs, where they are known, and beside it the others: what came before they were known has been written down
 * under one of those. A receipt needs none: its message moves forward once, whoever is named.
 */
function withKeys<Fact extends MessageFact | CallFact>(fact: Fact, keysOf: (fact: Fact) => Keys): Fact {
  const [key, ...others] = keysOf(fact);
  const otherKeys = [...new Set(others)].filter((other) => other !== key);
  return otherKeys.length === 0 ? { ...fact, key } : { ...fact, key, otherKeys };
}

type Keys = readonly [string, ...string[]];

const lidFirst = (address: string, alias: string | undefined): readonly [string, string | undefined] =>
  alias !== undefined && isLid(alias) ? [alias, address] : [address, alias];

function messageKeysOf(fact: MessageFact): Keys {
  const [chat, chatAlias] = lidFirst(fact.chat, fact.chatAlias);
  const [sender, senderAlias] = lidFirst(fact.sender, fact.senderAlias);
  const keyUnder = (ofChat: string, ofSender: string): string =>
    messageKey({ ...fact, chat: ofChat, sender: ofSender });
  // In a chat with one person, chat and writer are that person, and change their name together.
  if (fact.chat === fact.sender) {
    return [keyUnder(chat, chat), ...(chatAlias === undefined ? [] : [keyUnder(chatAlias, chatAlias)])];
  }
  // One of the two has one key only: a group has one address, and our own account counts as one writer.
  return [
    keyUnder(chat, sender),
    ...(chatAlias === undefined ? [] : [keyUnder(chatAlias, sender)]),
    ...(senderAlias === undefined ? [] : [keyUnder(chat, senderAlias)]),
  ];
}

function callKeysOf(fact: CallFact): Keys {
  const [caller, alias] = lidFirst(fact.caller, fact.callerAlias);
  return [callKey(fact.callId, caller), ...(alias === undefined ? [] : [callKey(fact.callId, alias)])];
}
