import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { readItems, type FleetTable } from '../fleet/fleetTable.ts';
import type { ItemKey } from '../platform/keys.ts';
import { tableName } from '../platform/tables.ts';

/** How far ingest is behind: for how long facts lay in the events queue before they were stored. */
export interface EventLag {
  /** When it was measured. */
  readonly atMs: number;
  /** Of the fact that lay longest, among those that were stored since the measurement before. */
  readonly lagMs: number;
}

const key: ItemKey = { pk: 'DIGEST#ingest', sk: 'DIGEST' };
/** One write unit each: a figure for people, and no line in the log of every batch. */
const WRITE_EVERY_MS = 10_000;
const KEPT_SECONDS = 3_600;

/** A figure that is older says nothing about now: nothing has been stored since. */
export const LAG_FRESH_MS = 60_000;
/** Facts that lie longer are late. */
export const LAG_LATE_MS = 30_000;

/** Keeps the longest lag and writes it now and then. One for each instance of the function; the last one to write is shown. */
export class EventLagNote {
  readonly #fleet: FleetTable;
  readonly #nowMs: () => number;
  #longestMs = 0;
  #writtenAtMs = -WRITE_EVERY_MS;

  constructor(fleet: FleetTable, nowMs: () => number) {
    this.#fleet = fleet;
    this.#nowMs = nowMs;
  }

  /** Takes the times in that SQS noted when the facts came, and writes if it is time to. Rejects when the store does not take it. */
  async note(sentAtMs: readonly number[]): Promise<void> {
    const nowMs = this.#nowMs();
    this.#longestMs = Math.max(this.#longestMs, ...sentAtMs.map((atMs) => nowMs - atMs));
    if (sentAtMs.length === 0 || nowMs - this.#writtenAtMs < WRITE_EVERY_MS) return;
    const lagMs = Math.round(this.#longestMs);
    this.#writtenAtMs = nowMs;
    this.#longestMs = 0;
    const { table, stage } = this.#fleet;
    const Item = { ...key, atMs: nowMs, lagMs, ttl: Math.floor(nowMs / 1_000) + KEPT_SECONDS };
    await table.send(new PutCommand({ TableName: tableName(stage, 'fleet'), Item }));
  }
}

/** The last measurement; undefined when there was none within the hour. */
export async function readEventLag(fleet: FleetTable): Promise<EventLag | undefined> {
  const [item] = await readItems(fleet, [key]);
  return item === undefined ? undefined : { atMs: item['atMs'] as number, lagMs: item['lagMs'] as number };
}
