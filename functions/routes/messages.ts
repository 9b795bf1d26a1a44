import { z } from 'zod';
import type { ChatStore } from '../../shared/chat/chatStore.ts';
import type { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import type { ErrorCode } from '../../shared/kernel/errorRules.ts';
import { parseId } from '../../shared/kernel/id.ts';
import { withFilesOf } from '../../shared/media/filesToSend.ts';
import type { MediaStore } from '../../shared/media/mediaStore.ts';
import { cancelMessage } from '../../shared/message/cancelMessage.ts';
import {
  acceptMessage,
  findAccepted,
  messagesOf,
  type AcceptDependencies,
} from '../../shared/message/acceptMessage.ts';
import { outboundMessageSchema } from '../../shared/message/outboundMessage.ts';
import type { ScheduledMessages } from '../../shared/message/scheduledMessages.ts';
import { fileProblems } from '../../shared/message/settleFile.ts';
import { readIdempotencyKey } from '../http/idempotencyKey.ts';
import { takeOrFind } from '../http/rates.ts';
import { route, type Route } from '../http/route.ts';
import { listChatMessages, type ChatMessagesParts } from './chatMessages.ts';
import { addressesOf, chatAddress } from './chats.ts';
import { findConnection } from './connections.ts';
import { findFilesOf } from './filesOfMessages.ts';
import type { SendableConnections } from './sendableConnections.ts';
import { POLL_EXAMPLE, pollViewSchema, toPollView } from './pollView.ts';
import { limitSchema, messageViewSchema, pageOf, toMessageView, toPage } from './views.ts';

export interface MessageRouteDependencies extends AcceptDependencies, ChatMessagesParts {
  readonly connections: ConnectionStore;
  readonly sendable: Pick<SendableConnections, 'find'>;
  readonly scheduled: Pick<ScheduledMessages, 'forget'>;
  readonly media: MediaStore;
  readonly chats: ChatStore;
}

const SENDING =
  'With `not_before` the message is kept as `scheduled` and put into the queue when it is due: never earlier, and within a minute after it. With `expires_at` no try of it begins after that time: it ends as `expired`, also while its connection is away.';

const CANCELLED_EXAMPLE = {
  id: 'msg_01JDT7KZ3V9H2M8Q4S6T1R5N0P',
  stanzaId: '3EB0B2C68C0DADEC26AEDF',
  createdAt: '2026-11-28T20:00:00.000Z',
  direction: 'out',
  status: 'cancelled',
  to: '4915123456789@s.whatsapp.net',
  chat: { id: '4915123456789@s.whatsapp.net', phoneNumber: '+4915123456789' },
  content: { type: 'text', text: { body: 'Hello 😀' } },
} as const;

/** What may refuse a message, beside the form of its request. */
const PROBLEMS_OF_SENDING: readonly ErrorCode[] = [
  'connection_not_paired',
  'recipient_invalid',
  // A message that another one names, as its reply or its edit.
  'message_not_found',
  'act_not_possible',
  'edit_too_late',
  'not_possible_on_linked_devices',
  ...fileProblems,
  'too_many_messages',
  'too_many_parked',
  'not_enqueued',
];

// oxlint-disable-next-line max-lines-per-function -- a table: one row after the other
export function messageRoutes(dependencies: MessageRouteDependencies): readonly Route[] {
  const { connections, sendable, messages, media, clock } = dependencies;
  return [
    route('POST', '/v1/connections/{connectionId}/messages', {
      summary: 'Send a message: 202 means that it is in the queue, or kept until its time',
      description: SENDING,
      body: outboundMessageSchema,
      headers: ['idempotency-key'],
      problems: PROBLEMS_OF_SENDING,
      answers: { status: 202, schema: messageViewSchema },
      handle: async ({ tenantId, connectionIds, parameters, body, headers, correlationId, take }) => {
        const connection = await sendable.find(tenantId, parameters['connectionId']);
        const idempotencyKey = readIdempotencyKey(headers);
        const within = withFilesOf(dependencies, connectionIds);
        const request = { connection, body, idempotencyKey, correlationId };
        const tokens = messagesOf(body);
        const message =
          (await takeOrFind(
            () =>
              take([
                { quota: 'messagesPerMinute', tokens },
                { quota: 'messagesPerDay', tokens },
              ]),
            () => findAccepted(dependencies, request),
          )) ?? (await acceptMessage(within, request));
        return { status: 202, json: toMessageView(message, { nowMs: clock.nowMs(), connection }) };
      },
    }),
    route('GET', '/v1/connections/{connectionId}/messages', {
      summary: 'List messages, newest first',
      description:
        'With `chat` only those of one chat, and with them those that a history brought. They are looked for among all of the connection, some 6,000 in one request, so a page may be empty and have more behind it: go on with `next`.',
      query: z.strictObject({
        chat: chatAddress.optional().meta({
          description: 'A phone number, or the address of a person, a group or a channel.',
          example: '+4915123456789',
        }),
        before: z.string().optional(),
        limit: limitSchema,
      }),
      answers: { status: 200, schema: pageOf(messageViewSchema) },
      handle: async ({ tenantId, parameters, query }) => {
        const connection = await findConnection(connections, tenantId, parameters['connectionId']);
        const before = query.before === undefined ? undefined : parseId('msg', query.before);
        if (query.before !== undefined && before === undefined) throw new AppError('invalid_cursor');
        const nowMs = clock.nowMs();
        const place = { before, limit: query.limit, nowMs };
        const page =
          query.chat === undefined
            ? await messages.list(connection.connectionId, place)
            : await listChatMessages(
                dependencies,
                connection,
                await addressesOf(dependencies, connection, query.chat),
                place,
              );
        const beside = { nowMs, connection, media: await findFilesOf(media, page.messages) };
        const data = page.messages.map((message) => toMessageView(message, beside));
        return { status: 200, json: toPage(data, page.next) };
      },
    }),
    route('GET', '/v1/connections/{connectionId}/messages/{messageId}', {
      summary: 'Read a message and how far it got',
      answers: { status: 200, schema: messageViewSchema },
      handle: async ({ tenantId, parameters }) => {
        const connection = await findConnection(connections, tenantId, parameters['connectionId']);
        const messageId = parseId('msg', parameters['messageId'] ?? '');
        const message = messageId && (await messages.find(connection.connectionId, messageId));
        if (message === undefined) throw new AppError('message_not_found');
        const beside = { nowMs: clock.nowMs(), connection, media: await findFilesOf(media, [message]) };
        return { status: 200, json: toMessageView(message, beside) };
      },
    }),
    route('GET', '/v1/connections/{connectionId}/messages/{messageId}/poll', {
      summary: 'Read how a poll stands',
      description: 'Votes are counted from the moment at which the connection was linked.',
      problems: ['no_poll'],
      answers: { status: 200, schema: pollViewSchema, example: POLL_EXAMPLE },
      handle: async ({ tenantId, parameters }) => {
        const { connectionId } = await findConnection(connections, tenantId, parameters['connectionId']);
        const messageId = parseId('msg', parameters['messageId'] ?? '');
        const message = messageId && (await messages.find(connectionId, messageId));
        if (message === undefined) throw new AppError('message_not_found');
        const poll = toPollView(message);
        if (poll === undefined) throw new AppError('no_poll');
        return { status: 200, json: poll };
      },
    }),
    route('DELETE', '/v1/connections/{connectionId}/messages/{messageId}', {
      summary: 'Cancel a message that has not left: 200 means that it never will',
      problems: ['message_not_cancellable'],
      answers: { status: 200, schema: messageViewSchema, example: CANCELLED_EXAMPLE },
      handle: async ({ tenantId, parameters, correlationId }) => {
        const connection = await findConnection(connections, tenantId, parameters['connectionId']);
        const messageId = parseId('msg', parameters['messageId'] ?? '');
        if (messageId === undefined) throw new AppError('message_not_found');
        const message = await cancelMessage(dependencies, { connection, messageId, correlationId });
        return { status: 200, json: toMessageView(message) };
      },
    }),
  ];
}
