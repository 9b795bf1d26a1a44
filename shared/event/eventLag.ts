import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { readItems, type FleetTable } from '../fleet/fleetTable.ts';
import type { ItemKey } from '../platform/keys.ts';
import { tableName } from '../platform/tables.ts';

/** How far ingest is behind: for how long facts lay in the events queue before they were stored. */
export interface EventLag {
  /** The time of the measurement. */
  readonly atMs: number;
  /**
   * The lag of the fact that lay longest, among the ones that were stored since the measurement before, in
   * milliseconds.
   */
  readonly lagMs: number;
}

const key: ItemKey = { pk: 'DIGEST#ingest', sk: 'DIGEST' };
/**
 * The least time between two writes, in milliseconds. Each is one write unit: a figure for people, and not one for
 * every batch.
 */
const WRITE_EVERY_MS = 10_000;
const KEPT_SECONDS = 3_600;

/** The age of a figure from which on it means nothing: no fact has been stored since. */
export const LAG_FRESH_MS = 60_000;
/** The lag from which on facts are late, in milliseconds. */
export const LAG_LATE_MS = 30_000;

/**
 * Keeps the longest lag and writes it now and then. Each instance of the function has one; the last one to write is
 * shown.
 */
export class EventLagNote {
  readonly #fleet: FleetTable;
  readonly #nowMs: () => number;
  #longestMs = 0;
  #writtenAtMs = -WRITE_EVERY_MS;

  constructor(fleet: FleetTable, nowMs: () => number) {
    this.#fleet = fleet;
    this.#nowMs = nowMs;
  }

  /**
   * Takes in the times that SQS noted when the facts came, and writes if it is time to. Rejects when the store does not
   * accept it.
   */
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

/** Reads the last measurement; undefined when there was none within the hour. */
export async function readEventLag(fleet: FleetTable): Promise<EventLag | undefined> {
  const [item] = await readItems(fleet, [key]);
  return item === undefined ? undefined : { atMs: item['atMs'] as number, lagMs: item['lagMs'] as number };
}
