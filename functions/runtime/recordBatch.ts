import type { SQSBatchResponse, SQSRecord } from 'aws-lambda';
import type { z } from 'zod';

/**
 * Partial batches of SQS event sources. This is our own code and not a library's, because the groups of a FIFO batch
 * are to run side by side: one connection with a long backlog must not delay the nine others of its batch.
 */
export type RecordOutcome = 'done' | 'failed';
/** Handles one record. Returns `failed` after logging the reason; never rejects. */
type HandleRecord = (record: SQSRecord) => Promise<RecordOutcome>;

/**
 * Handles each group in order and stops it at its first failure: that record and all later ones of the group are
 * reported.
 */
export async function handleInGroups(records: readonly SQSRecord[], handle: HandleRecord): Promise<SQSBatchResponse> {
  const groups = Map.groupBy(records, (record) => record.attributes.MessageGroupId ?? record.messageId);
  const failed = await Promise.all(
    [...groups.values()].map(async (group) => {
      for (const [index, record] of group.entries()) {
        if ((await handle(record)) === 'failed') return group.slice(index);
      }
      return [];
    }),
  );
  return toResponse(failed.flat());
}

/** Handles each record by itself; the ones that failed are reported. */
export async function handleEach(records: readonly SQSRecord[], handle: HandleRecord): Promise<SQSBatchResponse> {
  const results = await Promise.all(records.map(async (record) => ({ record, outcome: await handle(record) })));
  return toResponse(results.filter(({ outcome }) => outcome === 'failed').map(({ record }) => record));
}

/**
 * The body of a record, or which of its fields are wrong. The answer never holds a value: the error of `JSON.parse`
 * quotes the text, which may be a message's content.
 */
export function parseBody<Schema extends z.ZodType>(
  schema: Schema,
  record: SQSRecord,
): { readonly body: z.infer<Schema> } | { readonly wrongFields: readonly string[] } {
  let json: unknown;
  try {
    json = JSON.parse(record.body);
  } catch {
    return { wrongFields: ['(not JSON)'] };
  }
  const result = schema.safeParse(json);
  if (result.success) return { body: result.data };
  return { wrongFields: result.error.issues.map((issue) => issue.path.join('.')) };
}

function toResponse(failed: readonly SQSRecord[]): SQSBatchResponse {
  return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
}
