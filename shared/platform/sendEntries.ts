import { SendMessageBatchCommand, type SendMessageBatchRequestEntry, type SQSClient } from '@aws-sdk/client-sqs';
import { BATCH_ENTRIES, entryFailures, entryId } from './queueBatch.ts';
import { MESSAGE_BYTES } from './queues.ts';

/** The number of calls to the queue that one caller has under way. */
const CALLS_AT_ONCE = 4;
/** How often the entries that a call refused are sent again at once, before the caller has to. */
const REPEATS = 1;

/** A message for a queue, with a body in ASCII: its length is its size in bytes. */
export type QueueEntry = Omit<SendMessageBatchRequestEntry, 'Id'> & { readonly MessageBody: string };

/**
 * Puts messages into a queue, in no order, ten in a call. Resolves when SQS has all of them. Throws the failure of one that it
 * refused, also after a second try, under the name that SQS gave it, so that it can be judged.
 */
export async function sendEntries(queue: SQSClient, QueueUrl: string, entries: readonly QueueEntry[]): Promise<void> {
  const calls = inCalls(entries);
  const lane = async (): Promise<void> => {
    for (let some = calls.shift(); some !== undefined; some = calls.shift()) {
      await sendSome(queue, QueueUrl, some, REPEATS);
    }
  };
  await Promise.all(Array.from({ length: Math.min(CALLS_AT_ONCE, calls.length) }, lane));
}

/** The entries in as few calls as SQS allows. */
function inCalls(entries: readonly QueueEntry[]): (readonly QueueEntry[])[] {
  const calls: QueueEntry[][] = [];
  let bytes = 0;
  for (const entry of entries) {
    const call = calls.at(-1);
    bytes += entry.MessageBody.length;
    if (call !== undefined && call.length < BATCH_ENTRIES && bytes <= MESSAGE_BYTES) {
      call.push(entry);
    } else {
      calls.push([entry]);
      bytes = entry.MessageBody.length;
    }
  }
  return calls;
}

/** Sends entries in one call, and those that it refused again, alone: SQS has the others. */
async function sendSome(
  queue: SQSClient,
  QueueUrl: string,
  entries: readonly QueueEntry[],
  repeats: number,
): Promise<void> {
  const answer = await queue.send(
    new SendMessageBatchCommand({
      QueueUrl,
      Entries: entries.map((entry, place) => ({ ...entry, Id: entryId(place) })),
    }),
  );
  const failures = entryFailures(entries.length, answer);
  const [refused] = failures.values();
  if (refused === undefined) return;
  if (repeats === 0) throw refused;
  await sendSome(
    queue,
    QueueUrl,
    entries.filter((_entry, place) => failures.has(place)),
    repeats - 1,
  );
}
