import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { queueMarkSchema, recordMark, type QueueMark } from '../../shared/event/queueMark.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { parseBody } from '../runtime/recordBatch.ts';

export interface QueueMarkDependencies extends Pick<Surroundings, 'clock' | 'logger'> {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
}

type Ingest = (event: SQSEvent) => Promise<SQSBatchResponse>;

/**
 * Takes the marks out of a batch and writes them down when ingest is through with the facts of it. A mark says that all
 * before it in its group is recorded. What came in earlier batches is: SQS gives out no message of a group while an
 * earlier one is in somebody's hands or is to come again. What stands before it in this batch is, unless ingest reports
 * it as failed, and then the mark comes again as well. When the function dies before the mark is written, all of it comes
 * again; a mark that is written twice says the same.
 */
export function withQueueMarks(dependencies: QueueMarkDependencies, ingest: Ingest): Ingest {
  return async (event) => {
    const marks: { readonly record: SQSRecord; readonly mark: QueueMark }[] = [];
    const facts: SQSRecord[] = [];
    for (const record of event.Records) {
      const mark = markIn(record);
      if (mark === undefined) facts.push(record);
      else marks.push({ record, mark });
    }
    if (marks.length === 0) return ingest(event);
    const response = facts.length === 0 ? { batchItemFailures: [] } : await ingest({ Records: facts });
    const failed = new Set(response.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    for (const { record, mark } of marks) {
      const before = event.Records.slice(0, event.Records.indexOf(record)).filter(
        (other) => groupOf(other) === groupOf(record),
      );
      const isBehindFailure = before.some(({ messageId }) => failed.has(messageId));
      if (isBehindFailure || !(await write(dependencies, mark))) failed.add(record.messageId);
    }
    return { batchItemFailures: [...failed].map((itemIdentifier) => ({ itemIdentifier })) };
  };
}

async function write({ logger, clock, ...store }: QueueMarkDependencies, mark: QueueMark): Promise<boolean> {
  try {
    await recordMark(store, mark, clock.nowMs());
    return true;
  } catch (error) {
    logger.warn('a mark could not be written down and comes again', { error });
    return false;
  }
}

/** The mark in a record. Facts are long, and are told apart by how they begin. */
function markIn(record: SQSRecord): QueueMark | undefined {
  if (!record.body.startsWith(MARK_BEGINS)) return undefined;
  const parsed = parseBody(queueMarkSchema, record);
  return 'body' in parsed ? parsed.body : undefined;
}

/** How `JSON.stringify` begins a mark: its owner writes the fields in this order. */
const MARK_BEGINS = '{"version":1,"kind":"queue_mark"';

function groupOf(record: SQSRecord): string {
  return record.attributes.MessageGroupId ?? record.messageId;
}
