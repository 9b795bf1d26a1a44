import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Content } from '../content/content.ts';
import type { ConnectionId, MessageId } from '../kernel/id.ts';
import { expiryOf, isExpired } from '../platform/expiry.ts';
import { messageKey, versionKey, versionPrefix } from '../platform/keys.ts';
import { queryItems, readPage, type Item } from '../platform/pages.ts';
import { tableName } from '../platform/tables.ts';

/** What a message said at one time: the first version is the message as it came, each other one is an edit. */
export interface MessageVersion {
  readonly atMs: number;
  /** The stanza that brought it. */
  readonly stanzaId: string;
  readonly content: Content;
}

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

/** What a place in the list of versions looks like: the end of the key of the version before it. */
const PLACE = /^\d{15}\.[\da-f]{40}$/;
export function isVersionPlace(text: string): boolean {
  return PLACE.test(text);
}

/** A page of the versions of a message that was edited, oldest first; without any for one that never was. */
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
  { after, limit }: { readonly after: string | undefined; readonly limit: number },
): Promise<{ readonly versions: readonly MessageVersion[]; readonly next: string | undefined }> {
  const { pk } = messageKey(connectionId, messageId);
  const prefix = versionPrefix(messageId);
  const items = queryItems(
    table,
    {
      TableName: tableName(stage, 'core'),
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': pk, ':prefix': prefix },
    },
    {
      pageSize: limit + 1,
      ...(after === undefined ? {} : { after: { pk, sk: `${prefix}${after.replace('.', '#')}` } }),
    },
  );
  const { shown, last } = await readPage(items, {
    limit,
    show: (item) => (isExpired(item, nowMs) ? undefined : toVersion(item)),
  });
  return { versions: shown, next: last && String(last['sk']).slice(prefix.length).replace('#', '.') };
}

function toVersion(item: Item): MessageVersion {
  return {
    atMs: item['atMs'] as number,
    stanzaId: item['stanzaId'] as string,
    content: item['content'] as Content,
  };
}
