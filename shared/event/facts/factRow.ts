import type { z } from 'zod';
import type { Action } from '../../action/action.ts';
import type { ActionId, ConnectionId, CorrelationId, MessageId, StanzaId, TenantId } from '../../kernel/id.ts';
import type { Message } from '../../message/message.ts';
import type { KeptPart } from '../../message/messageParts.ts';
import type { MessageStep, StepName } from '../../message/messageSteps.ts';
import type { ItemKey } from '../../platform/keys.ts';
import type { DraftOf, EventRow } from './eventRow.ts';
import type { NamedMessage, Naming } from './originals.ts';

/**
 * One kind of fact, in a file of its own: its schema, its keys, what is stored for it, and the events that it becomes. The
 * table of all kinds stands in `factRows`; everything that reads, writes or documents facts and events is made of it.
 */
export interface FactRow<
  Schema extends FactSchema = FactSchema,
  Events extends readonly EventRow[] = readonly EventRow[],
> {
  readonly schema: Schema;
  /** Every field of a fact that strangers wrote is made to fit before it leaves a worker; our own facts stay as they are. */
  readonly writtenBy: 'strangers' | 'us';
  /** The fields that name people or chats, each with the field of the other name of the same. */
  readonly people: readonly (readonly [name: FieldOf<Schema>, alias: FieldOf<Schema>])[];
  /** All keys that the fact has by the names of its people, also by names that its stanza did not tell; left out where it has one. */
  readonly keysByName?: (fact: z.output<Schema>) => readonly string[];
  /** The fact with the parts put in that strangers leave out; left out where there are none. */
  readonly complete?: (fact: z.output<Schema>) => z.output<Schema>;
  /** The rest of a fact that was refused, which is checked as a fact itself; left out where nothing of it can be published. */
  readonly remains?: (fact: Partial<z.output<Schema>>, refusal: Refusal, bytes: number) => unknown;
  /** The stored thing that the fact is about, which is then given to `decide`; left out where there is none. */
  readonly about?: (fact: z.output<Schema>) => Reference;
  /** The other messages that the fact names, which are then looked for; left out where there are none. */
  readonly names?: (fact: z.output<Schema>) => readonly Naming[];
  /** The name of what the fact may write for others to find by it (`Naming.after`); left out where that is nothing but its message. */
  readonly writes?: (fact: z.output<Schema>) => string | undefined;
  /**
   * The step of a message of ours that the fact tells: the row of the message keeps who told it. Left out where the fact
   * is kept in a row of its own, under its key.
   */
  readonly step?: (fact: z.output<Schema>) => StepName;
  /** The row beside that of its message into which the fact writes its part; undefined where it has none. */
  readonly beside?: (fact: z.output<Schema>, connectionId: ConnectionId) => ItemKey | undefined;
  /** The decision, which is pure: from the fact and the stored thing to the changes and the event. */
  readonly decide: (fact: z.output<Schema>, context: FactContext) => FactPlan<DraftOf<Events[number]>>;
  /** The events that the fact may become, one at a time. */
  readonly events: Events;
}

export type FactSchema = z.ZodObject;
type FieldOf<Schema extends FactSchema> = keyof Schema['shape'] & string;

/** The reason why a fact cannot be published or recorded as it is. */
export type Refusal = 'malformed' | 'too_large' | 'unknown_kind';

export type Reference =
  { readonly messageId: MessageId } | { readonly stanzaId: StanzaId } | { readonly actionId: ActionId };

/** The thing that a fact is about, as it is stored now. */
export interface StoredSubject {
  readonly message?: Message | undefined;
  /** The epoch of the owner that tried the message last. */
  readonly triedUnder?: number | undefined;
  readonly action?: Action | undefined;
}

/** The connection at which a fact was seen, and the request that it follows. */
export interface FactOrigin {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
  readonly correlationId: CorrelationId;
  readonly shard: number;
  /** The epoch under which the facts were seen. */
  readonly token: number;
}

/** The things that a decision may depend on. */
export interface FactContext extends StoredSubject {
  readonly origin: FactOrigin;
  readonly nowMs: number;
  /** An earlier run of the same batch has written the step on the row, and died before its event was told. */
  readonly again: boolean;
  /** Another fact has told the step: no event is to come of this one, but it may have a part in the row beside. */
  readonly told: boolean;
  /** The row beside, as the facts before this one leave it; undefined where there is none. */
  readonly beside: Readonly<Record<string, unknown>> | undefined;
  /** The messages that the fact names, in the order of its `names`; undefined for one that was not found. */
  readonly named: readonly (NamedMessage | undefined)[];
  /** The parts of the message that have come before it. */
  readonly waiting: readonly KeptPart[];
  /** The messages of those of them that were told alone, and may have this message as their part instead. */
  readonly early: readonly { readonly messageId: MessageId; readonly message: Message }[];
}

/**
 * A change of the row of another message. It may be made twice, and must then come to the same. Where the row is gone,
 * nothing is changed.
 */
export interface RowChange {
  readonly key: ItemKey;
  readonly set: Readonly<Record<string, unknown>>;
  /**
   * The attribute that says how far the row is, with the value that was read; undefined where there was none. Where it
   * has another one, somebody was faster, and everything is read anew.
   */
  readonly after?: { readonly attribute: string; readonly was: unknown };
  /** The row was not read, and may be gone: then nothing is changed. */
  readonly orGone?: true;
}

/** The outcome of a decision. `ignored` leaves no trace: the answer may be another one the next time. */
export type FactPlan<Draft> =
  | { readonly plan: 'ignored' }
  /** Only the row beside changes, which must come to the same when the fact is recorded again. */
  | { readonly plan: 'noted'; readonly beside: Readonly<Record<string, unknown>> }
  | {
      readonly plan: 'stored';
      readonly draft: Draft;
      /** The rows that the fact makes, which are always the same ones. */
      readonly items?: readonly Readonly<Record<string, unknown>>[];
      /** The id of the message that the fact becomes: so it is found by those who name it. */
      readonly messageId?: MessageId;
      readonly changes?: readonly RowChange[];
      /** A word that is left on the row of a fact that is to come, under any of some keys. */
      readonly waits?: { readonly keys: readonly string[]; readonly part: KeptPart };
      /** Further keys that lead to the message. */
      readonly leads?: readonly string[];
      /** The attributes of the row beside that change. */
      readonly beside?: Readonly<Record<string, unknown>>;
      /** The changes of the message of which the fact tells a step. */
      readonly step?: MessageStep;
    };

/** Makes a row, so that the compiler keeps the types that it is written with. */
export function factRow<Schema extends FactSchema, const Events extends readonly EventRow[]>(
  row: FactRow<Schema, Events>,
): FactRow<Schema, Events> {
  return row;
}
