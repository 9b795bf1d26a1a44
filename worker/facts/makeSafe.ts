import { boundContent } from '../../shared/content/content.ts';
import { boundOther, boundWord, wellFormed } from '../../shared/content/contentBounds.ts';
import { factBounds, plausibleTimeMs } from '../../shared/event/factBounds.ts';
import { factSchema, type Fact, type MessageFact } from '../../shared/event/facts/fact.ts';
import { boundedName } from '../../shared/kernel/boundedName.ts';
import { firstCharacters } from '../../shared/kernel/firstCharacters.ts';
import type { StanzaId } from '../../shared/kernel/id.ts';
import { toRefusedFact, type Refusal } from '../../shared/event/refusedFact.ts';
import { toAsciiJson } from '../../shared/platform/asciiJson.ts';

/**
 * `safe`: the fact may leave. `replaced`: it may, and a message says `unsupported` in place of its content.
 * `set_aside`: nothing of it can be published.
 */
export type SafeFact =
  | { readonly outcome: 'safe'; readonly fact: Fact }
  | { readonly outcome: 'replaced'; readonly fact: MessageFact; readonly refusal: Refusal; readonly bytes: number }
  | { readonly outcome: 'set_aside'; readonly refusal: Refusal; readonly bytes: number };

/**
 * A fact in a form in which it may leave the worker. Strangers wrote what is in it, and whether a queue or a store
 * accepts it must not be theirs to decide: all texts are well-formed, nothing is larger than its bound, times are
 * times, and the fact has passed ingest's own schema.
 * @param arrivedAtMs when it came, by our clock
 */
export function makeSafe(fact: Fact, arrivedAtMs: number): SafeFact {
  const bounded = isForeign(fact) ? boundRest(boundFact(fact, arrivedAtMs)) : fact;
  const checked = factSchema.safeParse(bounded);
  if (!checked.success) return replace(bounded, 'malformed', sizeOf(fact));
  return fits(checked.data) ? { outcome: 'safe', fact: checked.data } : replace(bounded, 'too_large', sizeOf(fact));
}

/** The fact without the part that made it impossible, after a store or a queue has refused it. */
export function replace(fact: Fact, refusal: Refusal, bytes: number): SafeFact {
  const left = toRefusedFact(fact, refusal, bytes);
  return left === undefined
    ? { outcome: 'set_aside', refusal, bytes }
    : { outcome: 'replaced', fact: left, refusal, bytes };
}

/** The bytes of a fact in a body. */
export function sizeOf(fact: Fact): number {
  return toAsciiJson(fact).length;
}

function fits(fact: Fact): boolean {
  const json = JSON.stringify(fact);
  return Buffer.byteLength(json) <= factBounds.eventBytes && toAsciiJson(fact).length <= factBounds.bodyBytes;
}

type Foreign = Extract<Fact, { readonly kind: 'message' | 'receipt' | 'call' }>;

/** Whether a stranger wrote the fact; statuses and results of sends are our own from end to end. */
function isForeign(fact: Fact): fact is Foreign {
  return fact.kind === 'message' || fact.kind === 'receipt' || fact.kind === 'call';
}

function boundFact(fact: Foreign, arrivedAtMs: number): Foreign {
  if (fact.kind === 'message') return boundMessage(fact, arrivedAtMs);
  if (fact.kind === 'receipt') {
    const { stanzaId, chat, chatAlias, recipient, recipientAlias } = fact;
    return {
      ...fact,
      ...timeAndKeys(fact, arrivedAtMs),
      stanzaId: id(stanzaId),
      chat: address(chat),
      recipient: address(recipient),
      ...(chatAlias === undefined ? {} : { chatAlias: address(chatAlias) }),
      ...(recipientAlias === undefined ? {} : { recipientAlias: address(recipientAlias) }),
    };
  }
  const { callId, caller, callerAlias, group } = fact;
  return {
    ...fact,
    ...timeAndKeys(fact, arrivedAtMs),
    callId: id(callId),
    caller: address(caller),
    ...(callerAlias === undefined ? {} : { callerAlias: address(callerAlias) }),
    ...(group === undefined ? {} : { group: address(group) }),
  };
}

function boundMessage(fact: MessageFact, arrivedAtMs: number): MessageFact {
  const { stanzaId, chat, chatAlias, sender, senderAlias, senderName, content, flags } = fact;
  return {
    ...fact,
    ...timeAndKeys(fact, arrivedAtMs),
    // A message without an id was written all the same, so it gets an id.
    stanzaId: stanzaId === '' ? (boundedName(`none~${fact.key}`, factBounds.idUnits) as StanzaId) : id(stanzaId),
    chat: address(chat),
    sender: address(sender),
    ...(chatAlias === undefined ? {} : { chatAlias: address(chatAlias) }),
    ...(senderAlias === undefined ? {} : { senderAlias: address(senderAlias) }),
    ...(senderName === undefined
      ? {}
      : { senderName: firstCharacters(wellFormed(senderName), factBounds.nameCharacters) }),
    content: boundContent(content),
    ...(flags === undefined ? {} : { flags: flags.slice(0, factBounds.flags).map(boundWord) }),
  };
}

/** Bounds the parts of a fact beside the ones that are known by name here. The content is bounded by its own kind. */
function boundRest(fact: Foreign): Foreign {
  if (fact.kind !== 'message') return boundOther(fact);
  const { content, ...rest } = fact;
  return { ...boundOther(rest), content };
}

function timeAndKeys(fact: Foreign, arrivedAtMs: number): Pick<Fact, 'atMs' | 'key'> {
  const others = 'otherKeys' in fact ? fact.otherKeys : undefined;
  return {
    atMs: plausibleTimeMs(fact.atMs, arrivedAtMs),
    key: factKey(fact.key),
    ...(others === undefined
      ? {}
      : {
          otherKeys: others
            .filter((key) => key !== '')
            .slice(0, factBounds.otherKeys)
            .map(factKey),
        }),
  };
}

const factKey = (text: string): string => boundedName(wellFormed(text), factBounds.keyUnits);
const id = <Id extends string>(text: Id): Id => boundedName(wellFormed(text), factBounds.idUnits) as Id;
const address = (text: string): string => boundedName(wellFormed(text), factBounds.addressUnits);
