import type { z } from 'zod';

/** One type of event: its data, and when it comes. The row stands with the fact that it is made of. */
export interface EventRow<Type extends string = string, Data extends z.ZodType = z.ZodType> {
  readonly type: Type;
  readonly data: Data;
  /** A sentence for the documents that says when the event comes. */
  readonly description: string;
  readonly example: z.output<Data>;
}

/** An event without its place in the log. One for each type that the row may have. */
export type DraftOf<Row extends EventRow> = Row extends unknown
  ? {
      readonly version: 1;
      readonly tenantId: string;
      readonly connectionId: string;
      /** The time at which it happened, not of its recording. */
      readonly occurredAt: string;
      readonly type: Row['type'];
      readonly correlationId: string;
      readonly data: z.output<Row['data']>;
    }
  : never;

/** Makes a row, so that the compiler keeps its type and the form of its data. */
export function eventRow<const Type extends string, Data extends z.ZodType>(
  row: EventRow<Type, Data>,
): EventRow<Type, Data> {
  return row;
}

/** The tenant and connection of an event, and the request that it follows. */
export interface EventOwner {
  readonly tenantId: string;
  readonly connectionId: string;
  readonly correlationId: string;
}

/** Makes an event of a row. */
export function toDraft<Row extends EventRow>(
  { type }: Row,
  { tenantId, connectionId, correlationId }: EventOwner,
  atMs: number,
  data: z.output<Row['data']>,
): DraftOf<Row> {
  const occurredAt = new Date(atMs).toISOString();
  return { version: 1, tenantId, connectionId, occurredAt, type, correlationId, data } as DraftOf<Row>;
}
