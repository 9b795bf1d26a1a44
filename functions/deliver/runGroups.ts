import { DeleteMessageBatchCommand } from '@aws-sdk/client-sqs';
import type { SQSRecord } from 'aws-lambda';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { DeliveryQueue } from '../../shared/webhook/delivery.ts';
import { queueUrlOf } from './deliveryInHand.ts';
import { entryId } from '../../shared/platform/queueBatch.ts';

type RunDependencies = Pick<Surroundings, 'clock' | 'logger'> & DeliveryQueue;

/** How long the records that are done wait for the others of their batch, in milliseconds. */
const PATIENCE_MS = 1_000;

/**
 * Works the groups of a batch side by side. Lambda takes the records that are done out of the queue when the function
 * ends, and that is when the slowest receiver of the batch has answered or been given up, ten seconds later. So after a
 * second the function itself deletes what is done: if it dies, or the slowest makes it run out of time, nothing comes
 * again but what is not done.
 *
 * - The function dies before the delete: the records come again, and their events are posted again under the same ids.
 * - The delete fails or never returns: it ends at the deadline of its client, and Lambda deletes the records later.
 * - The delete happens twice, as Lambda does it again: SQS accepts the same handle once more.
 *
 * @param work never rejects; returns the records of the group that are done
 * @returns all records that are done
 */
export async function runGroups<Group>(
  dependencies: RunDependencies,
  groups: readonly Group[],
  work: (group: Group) => Promise<readonly SQSRecord[]>,
): Promise<ReadonlySet<SQSRecord>> {
  const done = new Set<SQSRecord>();
  let held: SQSRecord[] = [];
  let left = groups.length;
  let isSlow = false;
  const letGo = async (): Promise<void> => {
    const records = held;
    held = [];
    if (left > 0) await deleteDone(dependencies, records);
  };
  const over = new AbortController();
  const patience = dependencies.clock.sleep(PATIENCE_MS, over.signal).then(() => {
    isSlow = true;
    return letGo();
  });
  await Promise.all(
    groups.map(async (group) => {
      const ended = await work(group);
      left -= 1;
      for (const record of ended) done.add(record);
      held.push(...ended);
      if (isSlow) await letGo();
    }),
  );
  over.abort(ENDED);
  await patience;
  return done;
}

/** The reason of an abort: without one an error with a stack is made for each batch. */
const ENDED = 'ended';

/** Deletes records, which are all of the queue that the batch is of. */
async function deleteDone(dependencies: RunDependencies, records: readonly SQSRecord[]): Promise<void> {
  const [first] = records;
  if (first === undefined) return;
  try {
    await dependencies.queue.send(
      new DeleteMessageBatchCommand({
        QueueUrl: queueUrlOf(dependencies, first),
        Entries: records.map(({ receiptHandle }, place) => ({ Id: entryId(place), ReceiptHandle: receiptHandle })),
      }),
    );
  } catch (error) {
    dependencies.logger.warn('deliveries that are done leave the queue with the rest of their batch', {
      count: records.length,
      error,
    });
  }
}
