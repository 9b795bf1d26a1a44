import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { backoffMs } from '../../shared/kernel/backoff.ts';
import { withDeadline } from '../../shared/kernel/deadline.ts';
import { deadlines } from '../../shared/kernel/deadlines.ts';
import { BatchedCalls, type BatchRules } from '../../shared/platform/batchedCalls.ts';
import { judgeFailure } from '../../shared/platform/judgeFailure.ts';
import { isPassing } from '../../shared/platform/judgeStoreCall.ts';
import { BATCH_ENTRIES, entryFailures, entryId } from '../../shared/platform/queueBatch.ts';
import { eventQueueName, MESSAGE_BYTES } from '../../shared/platform/queues.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { CommitGate } from '../fleet/gate.ts';
import { ByteRoom } from './byteRoom.ts';

/**
 * Puts the bodies of all connections of this worker into the events queue, several in one call.
 *
 * Bodies of one connection must not be given at the same time: a call may accept a part of what it carries, and SQS keeps
 * the order of what it accepted only. Each body keeps its deduplication id through all its tries, so a try whose answer
 * was lost, or a call that a crash cut off in the middle, counts once for each body that had arrived.
 */
export interface FactQueueDependencies extends Pick<Surroundings, 'clock'> {
  readonly queue: SQSClient;
  readonly stage: string;
  readonly queueUrlBase: string;
  /**
   * The gate, which is asked before each message leaves: it waits while this worker may not act, and throws when the
   * worker may never act again.
   */
  readonly gate: Pick<CommitGate, 'assertOpen' | 'whenOpen'>;
  readonly deadlineMs?: number;
}

export interface FactBody {
  /** The queue that it goes to, of those for facts. */
  readonly queue: number;
  readonly group: string;
  readonly deduplicationId: string;
  /** The greatest size in bytes that the text can have: room is taken for it before the text is made. */
  readonly bytes: number;
  readonly make: () => string;
}

export interface FactQueue {
  /**
   * Resolves when the queue has the body. Rejects when it refused the body for good, when it did not accept it within
   * the deadline, or when this worker may not act.
   */
  readonly put: (body: FactBody) => Promise<void>;
}

/**
 * How the calls are filled. Two at once, so that one slow answer does not hold up the others. The linger costs 2 ms at
 * 100 bodies a second and saves a fifth of the calls, and half of them at 300; below 80 a second nothing lingers.
 */
const CALLS: BatchRules = {
  entries: BATCH_ENTRIES,
  bytes: MESSAGE_BYTES,
  callsAtOnce: 2,
  callsMost: 16,
  slowMs: 100,
  lingerMs: 6,
};
/**
 * The most bytes of bodies that wait or are under way. What comes beyond them waits as facts, and their stanzas without
 * their receipts, so WhatsApp slows down as well.
 */
const WAITING_BYTES = 16 * MESSAGE_BYTES;
/**
 * The waits between tries. The breaker of the queue lets one call at a time through while SQS does not answer, so these
 * need not be spread.
 */
const RETRY = { firstMs: 200, capMs: 1_000 } as const;
/**
 * How long a body waits while the worker is suspended, in milliseconds: about as long as WhatsApp keeps a socket that
 * does not answer.
 */
export const SUSPENDED_MS = 40_000;

interface Entry {
  readonly group: string;
  readonly deduplicationId: string;
  readonly text: string;
}

export function makeFactQueue(dependencies: FactQueueDependencies): FactQueue {
  const { gate, clock, deadlineMs = deadlines.publish.ms } = dependencies;
  const room = new ByteRoom(WAITING_BYTES);
  const callsByQueue = new Map<number, BatchedCalls<Entry>>();
  const callsTo = (place: number): BatchedCalls<Entry> => {
    const known = callsByQueue.get(place);
    if (known !== undefined) return known;
    const calls = new BatchedCalls<Entry>({
      clock,
      rules: CALLS,
      call: (entries, signal) => sendEntries(dependencies, place, entries, signal),
      isRefused: (error) => judgeFailure(error) === 'permanent',
    });
    callsByQueue.set(place, calls);
    return calls;
  };
  // A failure costs the socket, so a body is tried to the deadline; under its deduplication id it counts once.
  const untilTaken = async (body: FactBody, signal: AbortSignal): Promise<void> => {
    const giveBack = await room.take(body.bytes, signal);
    try {
      const { queue, group, deduplicationId } = body;
      const entry = { group, deduplicationId, text: body.make() };
      for (let attempt = 0; ; attempt += 1) {
        try {
          await callsTo(queue).send(entry, entry.text.length, signal, entry.group);
          return;
        } catch (error) {
          if (signal.aborted || !isPassing(error)) throw error;
        }
        await clock.sleep(backoffMs(RETRY, attempt, 1), signal);
        gate.assertOpen();
      }
    } finally {
      giveBack();
    }
  };
  return {
    put: async (body) => {
      // A suspended worker holds what it has decrypted: it goes on from here if its lease turns out to be alive.
      await gate.whenOpen(SUSPENDED_MS);
      await withDeadline('publishing facts', deadlineMs, (signal) => untilTaken(body, signal), clock);
    },
  };
}

async function sendEntries(
  { queue, stage, queueUrlBase, gate }: FactQueueDependencies,
  place: number,
  entries: readonly Entry[],
  abortSignal: AbortSignal,
): Promise<ReadonlyMap<number, Error>> {
  gate.assertOpen();
  const command = new SendMessageBatchCommand({
    QueueUrl: `${queueUrlBase}${eventQueueName(stage, place)}`,
    Entries: entries.map(({ group, deduplicationId, text }, at) => ({
      Id: entryId(at),
      MessageBody: text,
      MessageGroupId: group,
      MessageDeduplicationId: deduplicationId,
    })),
  });
  return entryFailures(entries.length, await queue.send(command, { abortSignal }));
}
