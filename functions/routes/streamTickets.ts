import { z } from 'zod';
import { chatKinds } from '../../shared/connection/chatKind.ts';
import { eventTypes } from '../../shared/event/event.ts';
import { makeStreamTicket, type StreamTicketDependencies } from '../../shared/event/streamTickets.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import { route, type Route } from '../http/route.ts';
import { STREAM_PATH } from '../stream/streamRoute.ts';

export interface StreamTicketRouteDependencies extends StreamTicketDependencies {
  /** Where streams are served: empty for the address of the API, undefined for nowhere. */
  readonly streamUrl: string | undefined;
}

const ticketRequestSchema = z
  .strictObject({
    types: z.array(z.enum(eventTypes)).min(1).optional().meta({ description: 'The types of events that it opens.' }),
    chatKind: z.array(z.enum(chatKinds)).min(1).optional().meta({ description: 'The kinds of chats that it opens.' }),
    connectionId: z.string().max(64).optional().meta({ description: 'The connection whose events it opens.' }),
  })
  .meta({ id: 'NewStreamTicket' });

const ticketSchema = z
  .object({
    ticket: z.string().meta({ description: 'Opens one stream, once. Shown this once.' }),
    url: z.string().meta({
      description:
        'The stream with the ticket: an address, or a path of this API. Add `&after=` to go on from a place.',
    }),
    expiresAt: z.iso.datetime(),
  })
  .meta({ id: 'StreamTicket' });

/** The route by which a server lets a browser listen without a key. */
export function streamTicketRoutes(dependencies: StreamTicketRouteDependencies): readonly Route[] {
  return [
    route('POST', '/v1/events/stream-tickets', {
      summary: 'Make a ticket with which a browser opens one stream, without a key',
      description:
        'It can be used once, within 60 seconds, and opens no more than what is asked for here. Its stream ends within half a minute after the key with which it was made.',
      body: ticketRequestSchema,
      problems: ['streams_not_served'],
      answers: {
        status: 201,
        schema: ticketSchema,
        example: {
          ticket: 'tkt_2Xz0l6pQ1b8mJ5rT9vC3nY7kD4wF6hA0sE8gU2iO5qM',
          url: `${STREAM_PATH}?ticket=tkt_2Xz0l6pQ1b8mJ5rT9vC3nY7kD4wF6hA0sE8gU2iO5qM`,
          expiresAt: '2026-08-01T12:01:00.000Z',
        },
      },
      handle: async ({ tenantId, keyId, body: { types, chatKind, connectionId } }) => {
        const { streamUrl } = dependencies;
        if (streamUrl === undefined) throw new AppError('streams_not_served');
        const { ticket, expiresAtMs } = await makeStreamTicket(
          dependencies,
          { tenantId, keyId },
          {
            types: types && new Set(types),
            chatKind: chatKind && new Set(chatKind),
            connectionId,
          },
        );
        const url = `${streamUrl}${STREAM_PATH}?ticket=${ticket.reveal()}`;
        return {
          status: 201,
          json: { ticket: ticket.reveal(), url, expiresAt: new Date(expiresAtMs).toISOString() },
        };
      },
    }),
  ];
}
