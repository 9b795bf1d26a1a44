import { z } from 'zod';
import { eventSchema } from '../../shared/event/event.ts';
import type { EventLogDependencies } from '../../shared/event/eventLog.ts';
import { readEvents } from '../../shared/event/readEvents.ts';
import { route, type Route } from '../http/route.ts';
import { limitSchema, pageOf } from './views.ts';

/** A page of the log. The log has no last page: `next` is there in each, to go on from when something has happened. */
const eventPageSchema = pageOf(eventSchema).extend({
  next: z
    .string()
    .meta({ description: 'Where to go on: now if `hasMore`, later if not. Keep it as your place in the log.' }),
});

export function eventRoutes(dependencies: EventLogDependencies): readonly Route[] {
  return [
    route('GET', '/v1/events', {
      summary: 'Read the event log, each connection in its order; go on with `next`',
      query: z.strictObject({
        after: z.string().optional().meta({ description: '`next` of the page before; no event id.' }),
        limit: limitSchema,
      }),
      answers: { status: 200, schema: eventPageSchema },
      handle: async ({ tenantId, query }) => {
        const page = await readEvents(dependencies, tenantId, query.after, query.limit);
        return { status: 200, json: { data: page.events, hasMore: page.hasMore, next: page.next } };
      },
    }),
  ];
}
