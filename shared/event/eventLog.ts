import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Surroundings } from '../platform/surroundings.ts';

/**
 * The append-only log of a tenant's events. It consists of pages: one item with the events of one batch. Pages stand in
 * lanes, each with a counter and partitions of its own, so that one tenant may have more events than one partition of
 * the table takes. A connection is always in one lane of a generation (`eventLanes`), so its events have one order.
 * Between connections of different lanes there is no order.
 *
 * A writer takes the next number of its lane from the counter and then writes its page under it, so a number can be taken
 * and its page be written after a larger one, or never (the writer died). A reader that passed such a number would lose
 * the events that come late. Hence:
 *
 * - **A reader stops before a missing number.** It gets what comes after once the number is settled. Other lanes go on.
 * - **A place is filled once.** A page is written only where nothing is; and whoever finds a number missing for longer
 *   than `GAP_PATIENCE_MS` writes a *void* there, under the same condition. Either the page or the void is first. A writer
 *   that comes second takes a new number. So no event is skipped, however slow its writer and however wrong a clock: time
 *   decides only how long readers wait, never whether they may go on. One number stands for a whole page, because a
 *   condition looks at one item: a void that covered the numbers of several writers could not refuse them all.
 * - **The age of a gap is known exactly.** Each row keeps the time at which the number before its own was taken, which the
 *   counter gives back. Without it, an old gap would be as young as the page that shows it. The counter of a sealed lane
 *   says the same of the last numbers, behind which no row will ever come.
 * - **What is older than `GAP_FORGOTTEN_MS` is passed without a void.** Pages that have expired are missing, too, and there
 *   may be millions. No writer lives that long, and it refuses to use a number it has held for `HOLD_LIMIT_MS`.
 *
 * Order of one connection: ingest takes the number of a connection's next page when the page before it is written. A void
 * only ever moves events to a larger number.
 */
export interface EventLogDependencies extends Pick<Surroundings, 'clock'> {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
}

/** How long readers wait for a number that was taken and not filled, in milliseconds. */
export const GAP_PATIENCE_MS = 60_000;
/** The age from which on a gap consists of expired pages and of writers that are long gone. */
export const GAP_FORGOTTEN_MS = 24 * 3_600_000;
/** The longest time that a writer may hold a number before it writes. */
export const HOLD_LIMIT_MS = 30_000;

/** The places of some events: one page, whose number its writer has taken. */
export interface EventPlaces {
  readonly lane: Lane;
  /** The number of the page. */
  readonly first: number;
  /** The most events that the page may hold. */
  readonly count: number;
  readonly takenAtMs: number;
  /** The time at which the number before this one was taken. */
  readonly previousTakenAtMs: number;
}

/** A lane of a tenant's log. */
export interface Lane {
  readonly generation: number;
  readonly lane: number;
}
