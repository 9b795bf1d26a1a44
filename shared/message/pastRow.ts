import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { PutCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { ConnectionId, MessageId } from '../kernel/id.ts';
import { tableName } from '../platform/tables.ts';
import { receivedMessageItem } from './messageWrites.ts';
import type { PastMessages } from './pastMessages.ts';

export interface PastRowParts {
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
  readonly past: PastMessages;
}

/**
 * Gives a message of a history a row of its own, like that of every other message, because something is to happen to it: its copy among the others of its chat
 * never changes. Condition: it has none yet. Returns the row as it was made; undefined where there is no such message, or it has one.
 */
export async function makePastRow(
  { table, stage, past }: PastRowParts,
  connectionId: ConnectionId,
  messageId: MessageId,
  nowMs: number,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const message = await past.find({ connectionId }, messageId);
  if (message === undefined) return undefined;
  const Item = { ...receivedMessageItem(message, nowMs) };
  const put = new PutCommand({
    TableName: tableName(stage, 'core'),
    Item,
    ConditionExpression: 'attribute_not_exists(pk)',
  });
  try {
    await table.send(put);
    return Item;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return undefined;
    throw error;
  }
}
