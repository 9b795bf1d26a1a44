/**
 * How the account's quota "Concurrent executions" of Lambda is shared out. Where it has room for all, each function
 * reserves a share, which it never exceeds and nobody takes away. Where it has not, nothing is reserved, because AWS
 * refuses reservations that leave less than 100 to others: new accounts have as little as 10 in all. The queues then
 * feed their functions with fewer batches at once, so that requests still find a place.
 */
export interface ConcurrencySettings {
  readonly accountConcurrency: number;
  readonly apiConcurrency: number;
  readonly ingestConcurrency: number;
  readonly deliverConcurrency: number;
  readonly mediaConcurrency: number;
  readonly eventQueues: number;
}

/** The concurrency that must remain without a reservation. Source: AWS Lambda, "Configuring reserved concurrency". */
const UNRESERVED = 100;
/** The least concurrency that AWS accepts for a queue that feeds a function. */
export const LEAST_SOURCE_CONCURRENCY = 2;
/** The share of the account that each of the functions behind queues may use at once where nothing is reserved. */
const SHARE_OF_SOURCE = 4;

/** Reserved concurrency of the functions whose load does not grow with the number of connections. */
export const smallConcurrency = {
  admin: 5,
  reconcile: 1,
  dispatch: 1,
  archive: 1,
  taskStopped: 5,
  watchdog: 1,
  shardCount: 1,
  canary: 1,
} as const;

/** The account's quota from which on functions have their reservations. */
export function quotaForReservations(settings: Omit<ConcurrencySettings, 'accountConcurrency'>): number {
  const small = Object.values(smallConcurrency).reduce((sum, one) => sum + one, 0);
  const { apiConcurrency, ingestConcurrency, deliverConcurrency, mediaConcurrency } = settings;
  return UNRESERVED + apiConcurrency + ingestConcurrency + deliverConcurrency + mediaConcurrency + small;
}

/** Whether functions reserve their concurrency. */
export function reservesConcurrency(settings: ConcurrencySettings): boolean {
  return settings.accountConcurrency >= quotaForReservations(settings);
}

/** The number of batches that all queues of a function together may have under way at once. */
export function batchesAtOnce(settings: ConcurrencySettings, name: 'ingest' | 'deliver' | 'media'): number {
  const wanted = settings[`${name}Concurrency`];
  if (reservesConcurrency(settings)) return wanted;
  const queues = { ingest: settings.eventQueues, deliver: 2, media: 1 };
  const least = LEAST_SOURCE_CONCURRENCY * queues[name];
  return Math.max(least, Math.min(wanted, Math.floor(settings.accountConcurrency / SHARE_OF_SOURCE)));
}

/** The part of a function's batches that the queue of slow endpoints may have under way. */
const SLOW_PART = 5;

/**
 * How many of the batches of a function each of its queues may have under way at once: queues of facts as many each; of the queues of
 * deliveries the second, which is that of slow endpoints, a small part.
 */
export function sharesOfQueues(
  name: 'ingest' | 'deliver' | 'media',
  atOnce: number,
  queues: number,
): readonly number[] {
  if (name !== 'deliver') return Array.from({ length: queues }, () => Math.floor(atOnce / queues));
  const slow = Math.max(LEAST_SOURCE_CONCURRENCY, Math.floor(atOnce / SLOW_PART));
  return [atOnce - slow, slow];
}
