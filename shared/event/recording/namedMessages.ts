import type { MessageId } from '../../kernel/id.ts';
import { toMessage } from '../../message/messageItem.ts';
import { mayComeFirst, type KeptPart } from '../../message/messageParts.ts';
import { handledFactKey, messageKey, type ItemKey } from '../../platform/keys.ts';
import { ourIdOf, type NamedMessage, type Naming } from '../facts/originals.ts';
import type { FoundOriginal } from '../facts/originalRule.ts';
import { rowOf } from '../facts/factRows.ts';
import { marksOf, type FactInHand } from './factInHand.ts';
import type { Item, RowsRead } from './rowInHand.ts';

/**
 * The messages that facts name: one that is answered, edited, deleted, reacted to, or voted on. WhatsApp names a message by
 * its chat, its author and its id. One that was sent through the API is found by its id alone; every other one by the row of its
 * fact, which leads to its message. Both are read strongly consistent, and a message that comes in the same batch as the
 * fact that names it was recorded before (`splitAtNames`).
 */
type OfFact = Pick<FactInHand, 'source' | 'fact'>;

function namingsOf({ fact }: Pick<FactInHand, 'fact'>): readonly Naming[] {
  return rowOf(fact).names?.(fact) ?? [];
}

/** The rows that lead to the messages that a fact names, or are them. */
export function namingKeys({ source, fact }: OfFact): readonly ItemKey[] {
  const { connectionId } = source;
  return namingsOf({ fact }).flatMap((naming) => {
    const ours = ourIdOf(connectionId, naming);
    const facts = naming.keys.map((key) => handledFactKey(connectionId, key));
    return ours === undefined ? facts : [messageKey(connectionId, ours), ...facts];
  });
}

/** The rows of the messages that are named, as far as they are needed and were not read yet. */
export function followingKeys(find: (key: ItemKey) => Item | undefined, { source, fact }: OfFact): readonly ItemKey[] {
  return namingsOf({ fact }).flatMap((naming) => {
    const id = naming.needs === 'row' ? idByFact(find, source, naming) : undefined;
    return id === undefined ? [] : [messageKey(source.connectionId, id)];
  });
}

/** The rows of what has come before the message of a fact, was told alone, and may now have that message as its part. */
export function earlyKeys(find: (key: ItemKey) => Item | undefined, inHand: FactInHand): readonly ItemKey[] {
  const waiting = marksOf(inHand).flatMap(
    ({ key }) => (find(key)?.['waiting'] as readonly KeptPart[] | undefined) ?? [],
  );
  return waiting
    .filter(({ kind }) => mayComeFirst(kind))
    .map(({ messageId }) => messageKey(inHand.source.connectionId, messageId));
}

/** What of these parts is there, and may have the message of their fact as its part. */
export function findEarly(
  read: RowsRead,
  { connectionId }: OfFact['source'],
  waiting: readonly KeptPart[],
): readonly FoundOriginal[] {
  return waiting.flatMap(({ kind, messageId }) => {
    const row = mayComeFirst(kind) ? read.find(messageKey(connectionId, messageId)) : undefined;
    return row === undefined ? [] : [{ messageId, message: toMessage(row) }];
  });
}

/**
 * The messages that a fact names.
 * @param made the messages that earlier facts of the same run make, by the keys of their facts
 */
export function findNamed(
  read: RowsRead,
  { source, fact }: OfFact,
  made: ReadonlyMap<string, MessageId>,
): readonly (NamedMessage | undefined)[] {
  return namingsOf({ fact }).map((naming) => {
    const ours = ourIdOf(source.connectionId, naming);
    const ownRow = ours && read.find(messageKey(source.connectionId, ours));
    if (ours !== undefined && ownRow !== undefined) return { messageId: ours, message: toMessage(ownRow) };
    const messageId = idByFact(read.find, source, naming) ?? naming.keys.map((key) => made.get(key)).find(Boolean);
    if (messageId === undefined) return undefined;
    const row = read.find(messageKey(source.connectionId, messageId));
    return { messageId, ...(row === undefined ? {} : { message: toMessage(row) }) };
  });
}

function idByFact(
  find: (key: ItemKey) => Item | undefined,
  { connectionId }: OfFact['source'],
  { keys }: Naming,
): MessageId | undefined {
  const ids = keys.map((key) => find(handledFactKey(connectionId, key))?.['messageId'] as MessageId | undefined);
  return ids.find((id) => id !== undefined);
}

/**
 * Splits the facts of a connection so that whoever needs the row of another message finds it written: a fact begins a new
 * part where it names a message that an earlier fact of the part makes or names, too, or looks for what that may write. The parts are recorded one after the
 * other.
 */
export function splitAtNames(facts: readonly FactInHand[]): readonly (readonly FactInHand[])[] {
  const parts: FactInHand[][] = [];
  let touched = new Set<string>();
  let awaited = new Set<string>();
  for (const fact of facts) {
    const named = namingsOf(fact)
      .filter(({ needs }) => needs === 'row')
      .flatMap(({ keys, stanzaId }) => [...keys, stanzaId]);
    const after = namingsOf(fact).flatMap((naming) => naming.after ?? []);
    const own = [fact.fact.key, ...(fact.fact.otherKeys ?? [])];
    const part = parts.at(-1);
    // A fact before it may have named this one, and left word on its row.
    const isAwaited = own.some((key) => awaited.has(key));
    if (part === undefined || isAwaited || [...named, ...after].some((name) => touched.has(name))) {
      parts.push([fact]);
      touched = new Set(named);
      awaited = new Set(named);
    } else {
      part.push(fact);
      for (const name of named) {
        touched.add(name);
        awaited.add(name);
      }
    }
    const written = rowOf(fact.fact).writes?.(fact.fact);
    if (written !== undefined) touched.add(written);
    for (const key of own) touched.add(key);
  }
  return parts;
}
