import { GetCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import type { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import { parseId } from '../../shared/kernel/id.ts';
import {
  listReceipts,
  memberCountsSchema,
  toMemberCounts,
  toMemberReceipts,
  type ListedReceipt,
} from '../../shared/message/memberReceipts.ts';
import type { SentMessage } from '../../shared/message/message.ts';
import type { MessageStore } from '../../shared/message/messageStore.ts';
import { contactSchema, toContact } from '../../shared/message/party.ts';
import { goesToMany } from '../../shared/message/recipient.ts';
import { receiptsKey } from '../../shared/platform/keys.ts';
import { tableName } from '../../shared/platform/tables.ts';
import { route, type Route } from '../http/route.ts';
import { findConnection } from './connections.ts';

export interface ReceiptRouteDependencies {
  readonly connections: ConnectionStore;
  readonly messages: MessageStore;
  readonly table: DynamoDBDocumentClient;
  readonly stage: string;
}

const at = z.iso.datetime();
const receiptSchema = z
  .object({
    recipient: contactSchema,
    askedNumber: z.string().optional().meta({
      description: 'The number under which the request named a viewer of a status, where the account has another one.',
    }),
    problem: z.enum(['no_account']).optional().meta({
      description: 'Why a viewer of a status gets nothing: the number has no WhatsApp account.',
    }),
    deliveredAt: at.optional(),
    readAt: at.optional(),
    playedAt: at.optional(),
  })
  .meta({ id: 'MessageReceipt' });

const ADA = { id: '236471520047@lid', phoneNumber: '+4915123456789', lid: '236471520047@lid' };
const example = {
  members: { total: 12, delivered: 11, read: 4, played: 0 },
  data: [{ recipient: ADA, deliveredAt: '2026-11-28T20:00:01.000Z', readAt: '2026-11-28T20:03:12.000Z' }],
};

/** The route that tells with whom of a group a message is how far. */
export function messageReceiptRoutes(dependencies: ReceiptRouteDependencies): readonly Route[] {
  const { connections, messages } = dependencies;
  return [
    route('GET', '/v1/connections/{connectionId}/messages/{messageId}/receipts', {
      summary: 'List how far a sent message came with each recipient',
      description:
        'In a group: a row for each member that has said something, in the order in which they first did; `members` counts them. Members that ' +
        'have said nothing are not listed. Of a status: a row for each person whom it is for, in the order of the request; `readAt` is when they ' +
        'saw it, and `members` counts those to whom it went. A member who hides read receipts is never shown as having read. To a person: one row. WhatsApp tells whole seconds.',
      answers: {
        status: 200,
        schema: z.object({ members: memberCountsSchema.optional(), data: z.array(receiptSchema) }),
        example,
      },
      handle: async ({ tenantId, parameters }) => {
        const { connectionId } = await findConnection(connections, tenantId, parameters['connectionId']);
        const messageId = parseId('msg', parameters['messageId'] ?? '');
        const message = messageId && (await messages.find(connectionId, messageId));
        if (message === undefined) throw new AppError('message_not_found');
        if (message.direction !== 'out') return { status: 200, json: { data: [] } };
        if (!goesToMany(message.to)) return { status: 200, json: { data: ofPerson(message).map(toView) } };
        const receipts = await readReceipts(dependencies, message);
        const data = listReceipts(receipts, message.createdAtMs).map(toView);
        return { status: 200, json: { members: toMemberCounts(message, receipts), data } };
      },
    }),
  ];
}

async function readReceipts(
  { table, stage }: ReceiptRouteDependencies,
  { connectionId, messageId }: Pick<SentMessage, 'connectionId' | 'messageId'>,
) {
  const Key = receiptsKey(connectionId, messageId);
  const { Item } = await table.send(new GetCommand({ TableName: tableName(stage, 'core'), Key }));
  return toMemberReceipts(Item);
}

/** The receipts of a person are on the message itself, which keeps no time of its own for `played`. */
function ofPerson({ to, resolvedTo, toAlias, state, deliveredAtMs, readAtMs }: SentMessage): readonly ListedReceipt[] {
  if (deliveredAtMs === undefined && readAtMs === undefined) return [];
  return [
    {
      recipient: toContact(resolvedTo, to, toAlias),
      ...(deliveredAtMs === undefined ? {} : { deliveredAtMs }),
      ...(readAtMs === undefined ? {} : { readAtMs }),
      ...(state === 'played' && readAtMs !== undefined ? { playedAtMs: readAtMs } : {}),
    },
  ];
}

function toView(receipt: ListedReceipt): z.infer<typeof receiptSchema> {
  const { recipient, askedNumber, hasNoAccount, deliveredAtMs, readAtMs, playedAtMs } = receipt;
  const time = (ms: number): string => new Date(ms).toISOString();
  return {
    recipient,
    ...(askedNumber === undefined ? {} : { askedNumber }),
    ...(hasNoAccount === undefined ? {} : { problem: 'no_account' as const }),
    ...(deliveredAtMs === undefined ? {} : { deliveredAt: time(deliveredAtMs) }),
    ...(readAtMs === undefined ? {} : { readAt: time(readAtMs) }),
    ...(playedAtMs === undefined ? {} : { playedAt: time(playedAtMs) }),
  };
}
