import { z } from 'zod';
import type { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import { parseId, type ConnectionId, type MessageId } from '../../shared/kernel/id.ts';
import type { MediaStore } from '../../shared/media/mediaStore.ts';
import type { Message } from '../../shared/message/message.ts';
import type { MessageStore } from '../../shared/message/messageStore.ts';
import { partsOf } from '../../shared/message/messageParts.ts';
import { readPage } from '../../shared/platform/pages.ts';
import { route, type Route } from '../http/route.ts';
import { findConnection } from './connections.ts';
import { findFilesOf } from './filesOfMessages.ts';
import { limitSchema, messageViewSchema, pageOf, toMessageView, toPage } from './views.ts';

export interface PartRouteDependencies {
  readonly connections: ConnectionStore;
  readonly messages: MessageStore;
  readonly media: Pick<MediaStore, 'findAll'>;
}

/** The number of parts that are read at once: a stranger may write up to 200 KB into each. */
const AT_ONCE = 10;

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
  hasMore: false,
} as const;

/** The route that shows the parts of a message, such as the pictures of an album. */
export function messagePartRoutes({ connections, messages, media }: PartRouteDependencies): readonly Route[] {
  return [
    route('GET', '/v1/connections/{connectionId}/messages/{messageId}/parts', {
      summary: 'List the parts of a message, in the order in which they came',
      description:
        'The pictures and films of an album, the same picture in a better quality, the film of a photo, the picture of an event: each a ' +
        'message of its own, which the list of messages leaves out. A message without parts has an empty list.',
      query: z.strictObject({ after: z.string().optional(), limit: limitSchema }),
      answers: { status: 200, schema: pageOf(messageViewSchema), example },
      handle: async ({ tenantId, parameters, query: { after, limit } }) => {
        const { connectionId } = await findConnection(connections, tenantId, parameters['connectionId']);
        const messageId = parseId('msg', parameters['messageId'] ?? '');
        const message = messageId && (await messages.find(connectionId, messageId));
        if (message === undefined) throw new AppError('message_not_found');
        const ids = partsOf(message).map((part) => part.messageId);
        const place = after === undefined ? -1 : ids.findIndex((id) => id === after);
        if (after !== undefined && place < 0) throw new AppError('invalid_cursor');
        const items = readInTurn(messages, connectionId, ids.slice(place + 1));
        const { shown, last } = await readPage(items, {
          limit,
          show: ({ message: part }) => part as Message | undefined,
        });
        const files = await findFilesOf(media, shown);
        const data = shown.map((part) => toMessageView(part, { media: files }));
        return { status: 200, json: toPage(data, last && String(last['messageId'])) };
      },
    }),
  ];
}

/** The messages of some ids in their order, with each id; one that is not kept any more is absent. */
async function* readInTurn(messages: MessageStore, connectionId: ConnectionId, ids: readonly MessageId[]) {
  for (let from = 0; from < ids.length; from += AT_ONCE) {
    const some = ids.slice(from, from + AT_ONCE);
    const found = await Promise.all(some.map((id) => messages.find(connectionId, id)));
    for (const [index, messageId] of some.entries()) yield { messageId, message: found[index] };
  }
}
