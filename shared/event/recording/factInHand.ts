import { messageIdOf } from '../../kernel/sentIds.ts';
import { actionKey, handledFactKey, messageKey, type ItemKey } from '../../platform/keys.ts';
import { toldAttributes } from '../../message/messageSteps.ts';
import type { BatchEnvelope } from '../factBatch.ts';
import { rowOf, type Fact } from '../facts/factRows.ts';

/** A batch without its facts: where they were seen, and what the batch is called. */
export type FactSource = Omit<BatchEnvelope, 'events'>;

/** A fact that is to be recorded, with the batch that it came in. */
export interface FactInHand {
  readonly source: FactSource;
  readonly fact: Fact;
  /** The id of the queue message that brought it: the same each time that this one comes again. */
  readonly recordId: string;
  /** The fact as it came, whatever it is. */
  readonly raw: unknown;
  /** The fact is the rest of one that was refused. */
  readonly isRest?: true;
}

/** The place where a row keeps that the event of a fact is told. */
export interface MarkPlace {
  readonly key: ItemKey;
  readonly attribute: string;
}

/** The attribute of the row of a fact that has no other row. */
const FACT_ATTRIBUTE = 'told';

/**
 * Where a fact is kept as told, one place for each name of its people: it is written down in the first, and is handled
 * if it is in any of them. Empty for a step of a message that cannot be ours.
 *
 * | fact                               | kept                                                                      |
 * | ---------------------------------- | ------------------------------------------------------------------------- |
 * | result of a send, receipt          | on the row of the message, by step                                        |
 * | message, call, status, action_end  | in a row of its own, by key: a message's row is named by its time of arrival, which a repeat has anew |
 */
export function marksOf({ source, fact }: FactInHand): readonly MarkPlace[] {
  const { connectionId } = source;
  const row = rowOf(fact);
  if (row.step === undefined) {
    return keysOf({ fact }).map((key) => ({
      key: handledFactKey(connectionId, key),
      attribute: FACT_ATTRIBUTE,
    }));
  }
  const subject = subjectOf({ source, fact });
  return subject === undefined ? [] : [{ key: subject, attribute: toldAttributes[row.step(fact)] }];
}

/** All keys of a fact, by all names of its people. */
export function keysOf({ fact }: Pick<FactInHand, 'fact'>): readonly string[] {
  return [fact.key, ...(fact.otherKeys ?? [])];
}

/** The key of the stored thing that a fact is about; undefined where there is none, or a message that cannot be ours. */
export function subjectOf({ source, fact }: Pick<FactInHand, 'source' | 'fact'>): ItemKey | undefined {
  const about = rowOf(fact).about?.(fact);
  if (about === undefined) return undefined;
  if ('actionId' in about) return actionKey(source.connectionId, about.actionId);
  const messageId = 'messageId' in about ? about.messageId : messageIdOf(source.connectionId, about.stanzaId);
  return messageId === undefined ? undefined : messageKey(source.connectionId, messageId);
}

/** The key of the row beside that of the message of a fact; undefined where it has none. */
export function besideOf({ source, fact }: Pick<FactInHand, 'source' | 'fact'>): ItemKey | undefined {
  return rowOf(fact).beside?.(fact, source.connectionId);
}
