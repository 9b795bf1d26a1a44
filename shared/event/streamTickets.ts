import { createHash } from 'node:crypto';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { ChatKind } from '../connection/chatKind.ts';
import type { ApiKeyId, TenantId } from '../kernel/id.ts';
import { Secret } from '../kernel/secret.ts';
import { streamTicketKey } from '../platform/keys.ts';
import type { Surroundings } from '../platform/surroundings.ts';
import { tableName } from '../platform/tables.ts';
import type { EventType } from './event.ts';
import type { EventFilter } from './eventFilter.ts';
import type { EventLogDependencies } from './eventLog.ts';

export interface StreamTicketDependencies extends EventLogDependencies, Pick<Surroundings, 'random'> {}

/** How long a ticket may be used, in milliseconds: a page opens its stream at once. */
export const TICKET_MS = 60_000;
/** The row of a ticket is deleted an hour after its time, if nobody has used it. */
const KEPT_SECONDS = 3_600;
const SECRET_BYTES = 32;
const TICKET = /^tkt_[A-Za-z0-9_-]{43}$/;

export interface NewStreamTicket {
  readonly ticket: Secret;
  readonly expiresAtMs: number;
}

/** The bearer of a ticket: whose events it opens, and no more than which of them. */
export interface TicketHolder {
  readonly tenantId: TenantId;
  /** The key with which it was made: its stream ends with that; undefined in a row of an earlier version. */
  readonly keyId: ApiKeyId | undefined;
  readonly filter: EventFilter;
}

/**
 * Makes a ticket that opens one stream of a tenant, for a browser that must not have a key. Only its hash is stored.
 * @param filter of the events that it opens
 */
export async function makeStreamTicket(
  { table, stage, clock, random }: StreamTicketDependencies,
  { tenantId, keyId }: { readonly tenantId: TenantId; readonly keyId: ApiKeyId },
  { types, chatKind, connectionId }: EventFilter,
): Promise<NewStreamTicket> {
  const ticket = `tkt_${Buffer.from(random.bytes(SECRET_BYTES)).toString('base64url')}`;
  const expiresAtMs = clock.nowMs() + TICKET_MS;
  const Item = {
    ...streamTicketKey(hashOf(ticket)),
    tenantId,
    keyId,
    expiresAtMs,
    ...(types === undefined ? {} : { types: [...types] }),
    ...(chatKind === undefined ? {} : { chatKind: [...chatKind] }),
    ...(connectionId === undefined ? {} : { connectionId }),
    ttl: Math.ceil(expiresAtMs / 1_000) + KEPT_SECONDS,
  };
  await table.send(new PutCommand({ TableName: tableName(stage, 'core'), Item }));
  return { ticket: new Secret(ticket), expiresAtMs };
}

/**
 * Uses a ticket up. Condition: it is there and its time is not over. Of two that use it at once one gets it; undefined for
 * the other, and for every text that is no ticket.
 */
export async function useStreamTicket(
  { table, stage, clock }: EventLogDependencies,
  ticket: string,
): Promise<TicketHolder | undefined> {
  if (!TICKET.test(ticket)) return undefined;
  try {
    const { Attributes: row = {} } = await table.send(
      new DeleteCommand({
        TableName: tableName(stage, 'core'),
        Key: streamTicketKey(hashOf(ticket)),
        ConditionExpression: 'attribute_exists(pk) AND expiresAtMs > :now',
        ExpressionAttributeValues: { ':now': clock.nowMs() },
        ReturnValues: 'ALL_OLD',
      }),
    );
    const types = row['types'] as readonly EventType[] | undefined;
    const chatKind = row['chatKind'] as readonly ChatKind[] | undefined;
    return {
      tenantId: row['tenantId'] as TenantId,
      keyId: row['keyId'] as ApiKeyId | undefined,
      filter: {
        types: types && new Set(types),
        chatKind: chatKind && new Set(chatKind),
        connectionId: row['connectionId'] as string | undefined,
      },
    };
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return undefined;
    throw error;
  }
}

function hashOf(ticket: string): string {
  return createHash('sha256').update(ticket).digest('hex');
}
