import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { ConnectionId } from '../kernel/id.ts';
import { MESSAGE_PREFIX, messagePartition } from '../platform/keys.ts';
import { queryItems } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';
import { isSent, type Message } from './message.ts';
import { toMessage } from './messageItem.ts';

/** The number of rows of a connection that are looked through, newest first, and how many at a time. */
const MOST_LOOKED_AT = 500;
const PAGE = 50;

/**
 * The newest message of a chat that WhatsApp has, among the last ones of its connection: messages of all chats lie in one row
 * after the other. Undefined where there is none among them.
 * @param names all addresses of the chat that are known
 */
export async function newestMessageIn(
  { table, stage }: { readonly table: DynamoDBDocumentClient; readonly stage: string },
  connectionId: ConnectionId,
  names: readonly string[],
): Promise<Message | undefined> {
  const input = {
    TableName: tableName(stage, 'core'),
    KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
    ExpressionAttributeValues: { ':pk': messagePartition(connectionId), ':prefix': MESSAGE_PREFIX },
    ScanIndexForward: false,
  };
  let looked = 0;
  for await (const item of queryItems(table, input, { pageSize: PAGE })) {
    const message = toMessage(item);
    if (isIn(message, names)) return message;
    looked += 1;
    if (looked === MOST_LOOKED_AT) break;
  }
  return undefined;
}

function isIn(message: Message, names: readonly string[]): boolean {
  if (message.direction === 'out' && !isSent(message.state)) return false;
  const own =
    message.direction === 'out' ? [message.to, message.resolvedTo, message.toAlias] : [message.chat, message.chatAlias];
  return own.some((name) => name !== undefined && names.includes(name));
}
