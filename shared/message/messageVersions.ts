import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Content } from '../content/content.ts';
import type { ConnectionId, MessageId } from '../kernel/id.ts';
import { expiryOf, isExpired } from '../platform/expiry.ts';
import { messageKey, versionKey, versionPrefix } from '../platform/keys.ts';
import { firstOf, queryItems } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';

/** What a message said at one time: the first version is the message as it came, each other one is an edit. */
export interface MessageVersion {
  readonly atMs: number;
  /** The stanza that brought it. */
  readonly stanzaId: string;
  readonly content: Content;
}

/** The most versions that are shown of a message: a client lets people edit for a quarter of an hour. */
export const MOST_VERSIONS = 500;

/** The row of a version, which is always the same one for the same version. */
export function versionItem(
  {
    connectionId,
    messageId,
    nowMs,
  }: {
    readonly connectionId: ConnectionId;
    readonly messageId: MessageId;
    readonly nowMs: number;
  },
  version: MessageVersion,
): Readonly<Record<string, unknown>> {
  return { ...versionKey(connectionId, messageId, version), ...version, ttl: expiryOf('message', nowMs) };
}

/** The versions of a message that was edited, oldest first; empty for one that never was. */
export async function listVersions(
  { table, stage }: { readonly table: DynamoDBDocumentClient; readonly stage: string },
  {
    connectionId,
    messageId,
    nowMs,
  }: {
    readonly connectionId: ConnectionId;
    readonly messageId: MessageId;
    readonly nowMs: number;
  },
): Promise<readonly MessageVersion[]> {
  const items = queryItems(
    table,
    {
      TableName: tableName(stage, 'core'),
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': messageKey(connectionId, messageId).pk, ':prefix': versionPrefix(messageId) },
    },
    { pageSize: 50 },
  );
  const found = await firstOf(items, MOST_VERSIONS);
  return found
    .filter((item) => !isExpired(item, nowMs))
    .map((item) => ({
      atMs: item['atMs'] as number,
      stanzaId: item['stanzaId'] as string,
      content: item['content'] as Content,
    }));
}
