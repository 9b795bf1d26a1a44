import { z } from 'zod';
import type { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import { parseId, type ConnectionId, type MessageId } from '../../shared/kernel/id.ts';
import type { Message } from '../../shared/message/message.ts';
import type { MessageStore } from '../../shared/message/messageStore.ts';
import { partsOf } from '../../shared/message/messageParts.ts';
import { route, type Route } from '../http/route.ts';
import { findConnection } from './connections.ts';
import { messageViewSchema, toMessageView } from './views.ts';

export interface PartRouteDependencies {
  readonly connections: ConnectionStore;
  readonly messages: MessageStore;
}

/** The number of parts that are read at once. */
const AT_ONCE = 20;

const ADA = { id: '236471520047@lid', phoneNumber: '+4915123456789', lid: '236471520047@lid' };
const example = {
  data: [
    {
      id: 'msg_01K3C5G2R5T7W9Y1A3C5E7G9J1',
      stanzaId: '3EB01F2E3D4C5B6A7980',
      createdAt: '2026-11-28T20:00:00.000Z',
      direction: 'in',
      status: 'received',
      chat: ADA,
      sender: { ...ADA, name: 'Ada' },
      content: { type: 'image', image: { mime_type: 'image/jpeg', bytes: 87_213, width: 1_600, height: 1_200 } },
      partOf: { kind: 'album', stanzaId: '3EB0C767D097B7B3E5D1', messageId: 'msg_01K3C5F7XQ8M2V4N6B9D0E1G3H' },
    },
  ],
} as const;

/** The route that shows the parts of a message, such as the pictures of an album. */
export function messagePartRoutes({ connections, messages }: PartRouteDependencies): readonly Route[] {
  return [
    route('GET', '/v1/connections/{connectionId}/messages/{messageId}/parts', {
      summary: 'List the parts of a message, in the order in which they came',
      description:
        'The pictures and films of an album, the same picture in a better quality, the film of a photo, the picture of an event: each a ' +
        'message of its own, which the list of messages leaves out. A message without parts has an empty list.',
      answers: { status: 200, schema: z.object({ data: z.array(messageViewSchema) }), example },
      handle: async ({ tenantId, parameters }) => {
        const { connectionId } = await findConnection(connections, tenantId, parameters['connectionId']);
        const messageId = parseId('msg', parameters['messageId'] ?? '');
        const message = messageId && (await messages.find(connectionId, messageId));
        if (message === undefined) throw new AppError('message_not_found');
        const ids = partsOf(message).map((part) => part.messageId);
        const parts = await findAll(messages, connectionId, ids);
        return { status: 200, json: { data: parts.map((part) => toMessageView(part)) } };
      },
    }),
  ];
}

async function findAll(
  messages: MessageStore,
  connectionId: ConnectionId,
  ids: readonly MessageId[],
): Promise<readonly Message[]> {
  const found: Message[] = [];
  for (let from = 0; from < ids.length; from += AT_ONCE) {
    const some = ids.slice(from, from + AT_ONCE).map((id) => messages.find(connectionId, id));
    for (const message of await Promise.all(some)) if (message !== undefined) found.push(message);
  }
  return found;
}
