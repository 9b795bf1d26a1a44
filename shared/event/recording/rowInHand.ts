import { sendStates } from '../../message/message.ts';
import type { MessageStep } from '../../message/messageSteps.ts';
import type { TransactionWrite } from '../../message/messageWrites.ts';
import type { EventId, MessageId } from '../../kernel/id.ts';
import { expiryOf } from '../../platform/expiry.ts';
import { fencedBy } from '../../platform/fence.ts';
import type { ItemKey } from '../../platform/keys.ts';
import type { EventDraft } from '../event.ts';
import type { KeptPart } from '../../message/messageParts.ts';
import type { FactInHand } from './factInHand.ts';
import { factHashOf, toMarkText } from './toldMark.ts';

export type Item = Readonly<Record<string, unknown>>;

/** The rows that some facts are about, as they stood at one moment each. */
export interface RowsRead {
  readonly find: (key: ItemKey) => Item | undefined;
}

/** An event that is not in the log yet. */
export interface NewEvent {
  readonly fact: FactInHand;
  readonly draft: EventDraft;
  /** The draft as text. */
  readonly body: string;
}

interface NewMark {
  /** The mark that stands there, whose place in the log is void; undefined where none stands. */
  readonly was: string | undefined;
  readonly event: NewEvent;
}

/**
 * A row that facts are about, as it was read and as the facts leave it: facts of one run see what earlier ones of it
 * have changed, and all of it becomes one write. The write has a condition of its own: the row is as far as it was read,
 * and each mark in it is where it was.
 */
export class RowInHand {
  readonly key: ItemKey;
  readonly #stored: Item | undefined;
  readonly #sets = new Map<string, unknown>();
  readonly #marks = new Map<string, NewMark>();
  readonly #claimed = new Set<string>();
  #messageId: MessageId | undefined;
  #isFurther = false;
  readonly #facts: FactInHand[] = [];
  #token: number | undefined;

  /** @param stored the row as it was read; undefined where there is none */
  constructor(key: ItemKey, stored: Item | undefined) {
    this.key = key;
    this.#stored = stored;
  }

  /** The row as the facts so far leave it; undefined where there is none. */
  get item(): Item | undefined {
    if (this.#stored === undefined && !this.#isFurther) return undefined;
    return { ...this.#stored, ...Object.fromEntries(this.#sets) };
  }

  /** The facts because of which the row changes. */
  get facts(): readonly FactInHand[] {
    return this.#facts;
  }

  get isChanged(): boolean {
    return this.#marks.size > 0 || this.#isFurther;
  }

  /** The parts of the message of this fact that have come before it. */
  get waiting(): readonly KeptPart[] {
    return (this.item?.['waiting'] as readonly KeptPart[] | undefined) ?? [];
  }

  /** Whether the row leads to a message, or tells that its fact is handled. */
  get isTaken(): boolean {
    return this.#stored?.['messageId'] !== undefined || this.markText('told') !== undefined || this.#marks.size > 0;
  }

  /** Leaves word of a part on the row of a fact that has not come yet. */
  wait(parts: readonly KeptPart[], fact: FactInHand): void {
    this.#sets.set('waiting', parts);
    this.#isFurther = true;
    this.#facts.push(fact);
  }

  /** Makes the row lead to a message whose fact has another key. */
  lead(messageId: MessageId, fact: FactInHand): void {
    this.#messageId = messageId;
    this.#isFurther = true;
    this.#facts.push(fact);
  }

  /** The mark that was read. */
  markText(attribute: string): string | undefined {
    return this.#stored?.[attribute] as string | undefined;
  }

  /** Whether a fact of this run has taken the mark for itself. */
  isClaimed(attribute: string): boolean {
    return this.#claimed.has(attribute);
  }

  /** Takes a mark for a fact whose event is told already. */
  claim(attribute: string): void {
    this.#claimed.add(attribute);
  }

  /**
   * Takes a mark for an event that gets a new place.
   * @param messageId the message that the fact of this row becomes
   */
  mark(attribute: string, was: string | undefined, event: NewEvent, messageId?: MessageId): void {
    this.#messageId = messageId;
    this.claim(attribute);
    this.#marks.set(attribute, { was, event });
    this.#facts.push(event.fact);
  }

  /** Takes in what a step changes on the row of its message. */
  change({ token, state, ...fields }: MessageStep): void {
    for (const [name, value] of Object.entries(fields)) if (value !== undefined) this.#sets.set(name, value);
    if (state === undefined) return;
    this.#sets.set('state', state);
    this.#sets.set('rank', sendStates[state]);
    this.#token = token;
  }

  /** The write of the row, for a call of its own or for a transaction. */
  toWrite(TableName: string, nowMs: number, idOf: (event: NewEvent) => EventId): TransactionWrite {
    const marks = [...this.#marks].map(([attribute, { was, event }]) => {
      const { source, raw } = event.fact;
      const mark = { eventId: idOf(event), batchId: source.batchId, factHash: factHashOf(raw) };
      return { attribute, was, text: toMarkText(mark) };
    });
    return this.#stored === undefined
      ? { Put: this.#toPut(TableName, nowMs, marks) }
      : { Update: this.#toUpdate(TableName, marks) };
  }

  /** Only the row of a fact is made here. DynamoDB deletes expired items late, so an expired row counts as absent. */
  #toPut(TableName: string, nowMs: number, marks: readonly MarkWrite[]): NonNullable<TransactionWrite['Put']> {
    const told = Object.fromEntries(marks.map(({ attribute, text }) => [attribute, text]));
    const messageId = this.#messageId;
    const waiting = this.#sets.get('waiting');
    const kept = messageId === undefined && waiting === undefined ? 'handledFact' : 'message';
    return {
      TableName,
      // The fact of a message leads to it, for as long as the message is kept.
      Item: {
        ...this.key,
        ...told,
        ...(messageId === undefined ? {} : { messageId }),
        ...(waiting === undefined ? {} : { waiting, waits: countOf(waiting) }),
        ttl: expiryOf(kept, nowMs),
      },
      ConditionExpression: 'attribute_not_exists(pk) OR #ttl <= :now',
      ExpressionAttributeNames: { '#ttl': 'ttl' },
      ExpressionAttributeValues: { ':now': Math.floor(nowMs / 1_000) },
    };
  }

  /** The way to a message, which a row is given once, and the number of parts that wait for it. */
  #furtherSets(): readonly [string, unknown][] {
    const waiting = this.#sets.get('waiting');
    const isNew = this.#messageId !== undefined && this.#stored?.['messageId'] === undefined;
    return [
      ...(isNew ? [['messageId', this.#messageId] as [string, unknown]] : []),
      ...(waiting === undefined ? [] : [['waits', countOf(waiting)] as [string, unknown]]),
    ];
  }

  /** Where a part and the message for which it leaves word meet, one of the two is refused, and finds the other. */
  #furtherConditions() {
    const { messageId, waits } = this.#stored ?? {};
    const isLed = this.#messageId !== undefined && messageId === undefined;
    if (!isLed && !this.#sets.has('waiting')) return { conditions: [], names: {}, values: {} };
    return {
      conditions: [
        ...(messageId === undefined ? ['attribute_not_exists(#messageId)'] : []),
        waits === undefined ? 'attribute_not_exists(#waits)' : '#waits = :was_waits',
      ],
      names: { '#messageId': 'messageId', '#waits': 'waits' },
      values: waits === undefined ? {} : { ':was_waits': waits },
    };
  }

  #toUpdate(TableName: string, marks: readonly MarkWrite[]): NonNullable<TransactionWrite['Update']> {
    const sets = [
      ...this.#sets,
      ...this.#furtherSets(),
      ...marks.map(({ attribute, text }): [string, unknown] => [attribute, text]),
    ];
    const conditions = ['attribute_exists(pk)'];
    const names: Record<string, string> = Object.fromEntries(sets.map(([name]) => [`#${name}`, name]));
    const values: Record<string, unknown> = Object.fromEntries(sets.map(([name, value]) => [`:${name}`, value]));
    const rank = this.#sets.get('rank') as number | undefined;
    if (rank !== undefined) {
      // A failure never overtakes a message that WhatsApp has: only a message that is not sent yet can fail.
      const isFailure = rank >= sendStates.failed;
      if (isFailure) values[':sentRank'] = sendStates.sent;
      conditions.push(`#rank < ${isFailure ? ':sentRank' : ':rank'}`);
    }
    if (this.#token !== undefined) {
      const fence = fencedBy('token', this.#token);
      conditions.push(fence.condition);
      Object.assign(names, fence.names);
      Object.assign(values, fence.values);
    }
    const further = this.#furtherConditions();
    conditions.push(...further.conditions);
    Object.assign(names, further.names);
    Object.assign(values, further.values);
    for (const { attribute, was } of marks) {
      if (was !== undefined) values[`:was_${attribute}`] = was;
      conditions.push(was === undefined ? `attribute_not_exists(#${attribute})` : `#${attribute} = :was_${attribute}`);
    }
    return {
      TableName,
      Key: { ...this.key },
      UpdateExpression: `SET ${sets.map(([name]) => `#${name} = :${name}`).join(', ')}`,
      ConditionExpression: conditions.join(' AND '),
      ExpressionAttributeNames: names,
      ExpressionAttributeValues: values,
    };
  }
}

function countOf(waiting: unknown): number {
  return (waiting as readonly unknown[]).length;
}

interface MarkWrite {
  readonly attribute: string;
  readonly was: string | undefined;
  readonly text: string;
}
