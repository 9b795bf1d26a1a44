import type { MessageId } from '../../kernel/id.ts';
import { withPlace } from '../../message/liveTrail.ts';
import type { ReceivedMessage } from '../../message/message.ts';
import type { PartOf } from '../../content/partOf.ts';
import {
  isFolded,
  LESSER,
  mayComeFirst,
  mayHold,
  MOST_PARTS,
  partsOf,
  withPart,
  type KeptPart,
} from '../../message/messageParts.ts';
import { messageKey } from '../../platform/keys.ts';
import type { FactContext, RowChange } from './factRow.ts';
import type { MessageFact } from './messageFactSchema.ts';
import { ownKeysOf } from './messageKey.ts';
import { isInChat, type FoundOriginal } from './originalRule.ts';

/**
 * Messages that belong to another one: a part of an album, the twin of a picture, the next place of a live location. The
 * other one is looked for in the chat of the stanza and under the writer of the stanza, so that nobody adds to what
 * somebody else wrote.
 *
 * | the other one             | what happens                                                                            |
 * | ------------------------- | --------------------------------------------------------------------------------------- |
 * | is there                  | its row names the part, and the part says where it belongs                              |
 * | is not there yet          | the part is told alone, and leaves word on the row of the fact that is to come          |
 * | comes after its part      | it finds that word on the row that it reads in any case, and both come to the same      |
 * | may not have such a part  | the part stands alone                                                                   |
 * | comes after its twin in a | the twin was told as the message, and stays it: the other one becomes a part of it      |
 * | better quality            |                                                                                         |
 *
 * - *It happens twice, or the process dies before the event is told*: a part that is named already stays where it is.
 * - *Two at once*: each write asks that the row is as far as it was read, and that nobody came between the word and the
 *   message that it is left for; whoever is refused reads anew, and finds the other one.
 */
export interface Folding {
  /** The message that it belongs to. */
  readonly into?: FoundOriginal;
  /** The way in which it belongs to its twin, where its fact says none. */
  readonly partOf?: PartOf;
  /** The parts of the message itself that have come before it. */
  readonly parts?: readonly KeptPart[];
  readonly changes: readonly RowChange[];
  /** The word that is left for a message to come, at the keys that its fact may have. */
  readonly waits?: { readonly keys: readonly string[]; readonly part: KeptPart };
}

/** The part of a message that a fact becomes under an id. */
function toPart({ content, partOf, stanzaId }: MessageFact, messageId: MessageId): KeptPart | undefined {
  if (partOf === undefined || !isFolded(partOf.kind)) return undefined;
  return { messageId, stanzaId, kind: partOf.kind, type: content.type };
}

/** The message that a fact says it belongs to, if its own writer wrote that in this chat. */
export function findParent(fact: MessageFact, { named }: Pick<FactContext, 'named'>): FoundOriginal | undefined {
  const found = named[fact.originalId === undefined ? 0 : 1];
  if (ownKeysOf(fact).length === 0 || found?.message === undefined) return undefined;
  return isInChat(found.message, fact) ? { messageId: found.messageId, message: found.message } : undefined;
}

/**
 * The same picture or film in a better quality, which has come before this one and was told as a message of its own. One that belongs to an album has its place
 * there, and one that was taken back, or belongs to something already, stays where it is.
 */
function twinBefore(fact: MessageFact, { early }: Pick<FactContext, 'early'>): FoundOriginal | undefined {
  if (fact.partOf !== undefined) return undefined;
  return early.find(({ message }) => {
    if (message.direction === 'out' || message.foldedInto !== undefined || message.deletedAtMs !== undefined)
      return false;
    const { partOf, content } = message;
    return (
      partOf !== undefined && mayComeFirst(partOf.kind) && mayHold(fact, { kind: partOf.kind, type: content.type })
    );
  });
}

/** What a new message does to those that it belongs to, or that belong to it. */
export function foldMessage(fact: MessageFact, messageId: MessageId, context: FactContext): Folding {
  const { connectionId } = context.origin;
  // Word may lie under each of the names of the writer.
  const waiting = new Map(context.waiting.map((part) => [part.messageId, part]));
  const twin = twinBefore(fact, context);
  const parts = [...waiting.values()]
    .filter((part) => part.messageId !== twin?.messageId && mayHold(fact, part))
    .slice(0, MOST_PARTS);
  const adopted = parts.map((part): RowChange => ({
    key: messageKey(connectionId, part.messageId),
    set: { foldedInto: messageId },
    orGone: true,
  }));
  const own = parts.length === 0 ? { changes: [] } : { parts, changes: adopted };
  if (twin !== undefined) {
    const lesser = { messageId, stanzaId: fact.stanzaId, kind: LESSER, type: fact.content.type };
    const all = withPart(partsOf(twin.message), lesser) ?? [];
    return {
      ...own,
      into: twin,
      partOf: { kind: LESSER, stanzaId: twin.message.stanzaId },
      changes: [...adopted, partChange(connectionId, twin, { parts: all }, fact.stanzaId)],
    };
  }
  const part = toPart(fact, messageId);
  if (part === undefined) return own;
  const parent = findParent(fact, context);
  if (parent === undefined) {
    return { ...own, waits: { keys: ownKeysOf(fact), part } };
  }
  const all = mayHold(parent.message, part) ? withPart(partsOf(parent.message), part) : undefined;
  if (all === undefined) return own;
  return {
    ...own,
    into: parent,
    changes: [...adopted, partChange(connectionId, parent, { parts: all }, fact.stanzaId)],
  };
}

/** A newer place of a live location: the message that it moves on, with the change of its row. */
export interface NextPlace {
  readonly of: FoundOriginal;
  readonly change: RowChange;
}

/**
 * Moves a live location on. `first`: it is the first place that came; `late`: a newer one is known. WhatsApp numbers the
 * places of one share, which come under one stanza id, in any order.
 */
export function moveOn(
  fact: MessageFact & { readonly content: { readonly type: 'live_location' } },
  messageId: MessageId,
  context: FactContext,
): NextPlace | 'first' | 'late' {
  const found = findParent(fact, context);
  const before = found?.message.content as MessageFact['content'] | undefined;
  if (found === undefined || before?.type !== 'live_location' || found.messageId === messageId) return 'first';
  const { content } = fact;
  const next = content as Extract<MessageFact['content'], { type: 'live_location' }>;
  const [was, is] = [before, next].map((one) => one.live_location.sequence ?? 0) as [number, number];
  // A run that is made again finds its own place there.
  const isAgain = context.again && is === was;
  if (is <= was && !isAgain) return 'late';
  const message = found.message as ReceivedMessage;
  const trail = isAgain
    ? message.trail
    : withPlace(message.trail ?? [], before.live_location, message.movedAtMs ?? message.createdAtMs);
  const set = { content, trail, movedAtMs: fact.atMs };
  return { of: found, change: partChange(context.origin.connectionId, found, set, `${fact.stanzaId}~${is}`) };
}

function partChange(
  connectionId: FactContext['origin']['connectionId'],
  { messageId, message }: FoundOriginal,
  set: RowChange['set'],
  foldedFrom: string,
): RowChange {
  const was = (message as Partial<ReceivedMessage>).foldedFrom;
  return {
    key: messageKey(connectionId, messageId),
    set: { ...set, foldedFrom },
    after: { attribute: 'foldedFrom', was },
  };
}
