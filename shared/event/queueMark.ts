import { GetCommand, PutCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import type { ConnectionId } from '../kernel/id.ts';
import { expiryOf } from '../platform/expiry.ts';
import { queueMarkKey } from '../platform/keys.ts';
import { tableName } from '../platform/tables.ts';
import { brandedText } from './facts/factField.ts';

/**
 * A mark stands in the queue of facts behind all facts of a connection that were published before it. Ingest writes down
 * that it has come to the mark; from then on everything before it is recorded, and the owner of the connection may
 * publish to another queue without its facts overtaking each other (`worker/facts/eventQueueChoice.ts`).
 */
export const queueMarkSchema = z.strictObject({
  version: z.literal(1),
  kind: z.literal('queue_mark'),
  connectionId: brandedText<ConnectionId>(),
  mark: z.string().min(1).max(200),
});
export type QueueMark = z.infer<typeof queueMarkSchema>;

interface MarkStore {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
}

/** Writes down that ingest has come to a mark. The write has no condition: a second one says the same. */
export async function recordMark(
  { table, stage }: MarkStore,
  { connectionId, mark }: QueueMark,
  nowMs: number,
): Promise<void> {
  const Item = { ...queueMarkKey(connectionId, mark), ttl: expiryOf('queueMark', nowMs) };
  await table.send(new PutCommand({ TableName: tableName(stage, 'core'), Item }));
}

/** Whether ingest has come to a mark. The read is consistent. */
export async function isMarkRecorded(
  { table, stage }: MarkStore,
  connectionId: ConnectionId,
  mark: string,
): Promise<boolean> {
  const answer = await table.send(
    new GetCommand({
      TableName: tableName(stage, 'core'),
      Key: queueMarkKey(connectionId, mark),
      ConsistentRead: true,
    }),
  );
  return answer.Item !== undefined;
}
