/**
 * What one message asks of the stores, step by step: the one table that the cost model and its page are made of.
 *
 * `shared`: `npm run bench:messages -- --phases calls`, with one webhook, where messages come so quickly that calls carry
 * several of them (100 sends, or 100 messages received, a second). `alone`: a message that comes by itself, counted
 * from the same run and the code: no call is shared, so each message takes its own place in the log, its own page, its own
 * note of attempts, and the reads that are remembered for a second. What sessions write is not in it, since it depends on
 * the chat. A failed condition and a repetition come on top; both are rare.
 */
export interface StepCounts {
  /** Calls to DynamoDB and SQS. */
  readonly calls: number;
  readonly writeUnits: number;
  readonly readUnits: number;
  /** Requests to FIFO queues, which are those of commands and facts, and to the fair queue of deliveries. */
  readonly fifo: number;
  readonly fair: number;
  /** Calls of functions. */
  readonly runs: number;
}

export const steps = ['api', 'worker', 'ingest', 'deliver'] as const;
export type Step = (typeof steps)[number];
/** `send` comes with its events `sent` and `delivered`; `read` is the third. */
export const flows = ['send', 'read', 'received'] as const;
export type Flow = (typeof flows)[number];
export type Load = 'shared' | 'alone';

const counts = (
  calls: number,
  writeUnits: number,
  readUnits: number,
  fifo: number,
  fair: number,
  runs: number,
): StepCounts => ({ calls, writeUnits, readUnits, fifo, fair, runs });
const nothing = counts(0, 0, 0, 0, 0, 0);

export const messageCounts: Readonly<Record<Flow, Readonly<Record<Step, Readonly<Record<Load, StepCounts>>>>>> = {
  send: {
    // One row and the queue. A message alone in its five minutes writes their note in the same transaction.
    api: { shared: counts(2, 1, 0, 1, 0, 1), alone: counts(3, 4, 1, 1, 0, 1) },
    worker: { shared: counts(4.78, 1, 0, 2.58, 0, 0), alone: counts(5, 1, 0.03, 4, 0, 0) },
    ingest: { shared: counts(1.83, 3.63, 2.52, 0.42, 0.21, 0.21), alone: counts(18, 7, 5.5, 4, 2, 2) },
    deliver: { shared: counts(0.5, 0.15, 0.01, 0, 0.42, 0.21), alone: counts(8, 2, 2, 0, 4, 2) },
  },
  read: {
    api: { shared: nothing, alone: nothing },
    worker: { shared: counts(1, 0, 0.01, 1, 0, 0), alone: counts(1, 0, 0.01, 1, 0, 0) },
    ingest: { shared: counts(2.44, 1.71, 1.01, 0.7, 0.35, 0.35), alone: counts(8, 3, 3, 2, 1, 1) },
    deliver: { shared: counts(0.53, 0.09, 0.01, 0, 0.48, 0.35), alone: counts(4, 1, 1, 0, 2, 1) },
  },
  received: {
    api: { shared: nothing, alone: nothing },
    worker: { shared: counts(1, 0, 0.01, 1, 0, 0), alone: counts(1, 0, 0.01, 1, 0, 0) },
    ingest: { shared: counts(2.37, 3.55, 2.51, 0.62, 0.31, 0.31), alone: counts(11, 5, 3.5, 2, 1, 1) },
    deliver: { shared: counts(0.5, 0.09, 0.01, 0, 0.45, 0.31), alone: counts(4, 1, 1, 0, 2, 1) },
  },
};

/** What an `Idempotency-Key` writes on top: its row, and the transaction that it needs with the message's. */
export const keyWriteUnits: Readonly<Record<Load, number>> = { shared: 3, alone: 2 };

/** The number of events of each flow, and so of deliveries to a webhook that wants all. */
export const eventsOf: Readonly<Record<Flow, number>> = { send: 2, read: 1, received: 1 };

/**
 * The counts of a flow where so much is shared as at a given rate.
 * @param aloneShare 1 where each message comes alone, 0 where all is shared as in the table
 */
export function countsAt(flow: Flow, step: Step, aloneShare: number): StepCounts {
  const { shared, alone } = messageCounts[flow][step];
  const between = (name: keyof StepCounts): number => shared[name] + (alone[name] - shared[name]) * aloneShare;
  return {
    calls: between('calls'),
    writeUnits: between('writeUnits'),
    readUnits: between('readUnits'),
    fifo: between('fifo'),
    fair: between('fair'),
    runs: between('runs'),
  };
}
