import { z } from 'zod';
import type { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import { parseId } from '../../shared/kernel/id.ts';
import { messageChangeSchema, moveMessage, type MoveDependencies } from '../../shared/message/moveMessage.ts';
import type { ScheduledMessages, ScheduledPlace } from '../../shared/message/scheduledMessages.ts';
import { route, type Route } from '../http/route.ts';
import { findConnection } from './connections.ts';
import { limitSchema, messageViewSchema, pageOf, toMessageView, toPage } from './views.ts';

export interface ScheduledRouteDependencies extends MoveDependencies {
  readonly connections: ConnectionStore;
  readonly scheduled: ScheduledMessages;
}

const SCHEDULED_EXAMPLE = {
  id: 'msg_01JDT7KZ3V9H2M8Q4S6T1R5N0P',
  stanzaId: '3EB0B2C68C0DADEC26AEDF',
  createdAt: '2026-11-28T20:00:00.000Z',
  direction: 'out',
  status: 'scheduled',
  to: '4915123456789@s.whatsapp.net',
  chat: { id: '4915123456789@s.whatsapp.net', phoneNumber: '+4915123456789' },
  content: { type: 'text', text: { body: 'We open in half an hour.' } },
  notBefore: '2027-01-04T09:30:00.000Z',
  expiresAt: '2027-01-04T12:00:00.000Z',
} as const;

/** A place in the list of scheduled messages as a cursor, and back. Throws `invalid_cursor`. */
const showPlace = ({ atMs, messageId }: ScheduledPlace): string => `${atMs}.${messageId}`;
function readPlace(cursor: string): ScheduledPlace {
  const [at = '', id = ''] = cursor.split('.');
  const messageId = parseId('msg', id);
  if (messageId === undefined || !/^\d{1,15}$/.test(at)) throw new AppError('invalid_cursor');
  return { atMs: Number(at), messageId };
}

/** The routes of messages that wait for their time; they are made and cancelled like all others. */
export function scheduledRoutes(dependencies: ScheduledRouteDependencies): readonly Route[] {
  const { connections, scheduled } = dependencies;
  return [
    route('GET', '/v1/connections/{connectionId}/scheduled-messages', {
      summary: 'List the messages that wait for their time, earliest first',
      query: z.strictObject({ after: z.string().optional(), limit: limitSchema }),
      answers: {
        status: 200,
        schema: pageOf(messageViewSchema),
        example: { data: [SCHEDULED_EXAMPLE], hasMore: false },
      },
      handle: async ({ tenantId, parameters, query }) => {
        const { connectionId } = await findConnection(connections, tenantId, parameters['connectionId']);
        const after = query.after === undefined ? undefined : readPlace(query.after);
        const page = await scheduled.list(connectionId, { after, limit: query.limit });
        const data = page.messages.map((message) => toMessageView(message));
        return { status: 200, json: toPage(data, page.next && showPlace(page.next)) };
      },
    }),
    route('PATCH', '/v1/connections/{connectionId}/messages/{messageId}', {
      summary: 'Move a scheduled message to another time',
      description: 'A caller that gets 200 can rely on it that the message does not leave before the new time.',
      body: messageChangeSchema,
      problems: ['message_not_movable', 'change_conflict'],
      answers: { status: 200, schema: messageViewSchema, example: SCHEDULED_EXAMPLE },
      handle: async ({ tenantId, parameters, body }) => {
        const connection = await findConnection(connections, tenantId, parameters['connectionId']);
        const messageId = parseId('msg', parameters['messageId'] ?? '');
        if (messageId === undefined) throw new AppError('message_not_found');
        return { status: 200, json: toMessageView(await moveMessage(dependencies, connection, messageId, body)) };
      },
    }),
  ];
}
