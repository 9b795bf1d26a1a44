import { z } from 'zod';
import { eventSchema } from '../../shared/event/event.ts';
import { readEvents, type EventLogDependencies } from '../../shared/event/eventLog.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import { parseEventId, type EventId } from '../../shared/kernel/id.ts';
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
      summary: "Read the event log after an event's id, oldest first; go on with `next`",
      query: z.strictObject({ after: z.string().optional(), limit: limitSchema }),
      answers: { status: 200, schema: eventPageSchema },
      handle: async ({ tenantId, query }) => {
        if (query.after !== undefined && parseEventId(query.after) === undefined) throw new AppError('invalid_cursor');
        const page = await readEvents(dependencies, tenantId, query.after as EventId | undefined, query.limit);
        return { status: 200, json: { data: page.events, hasMore: page.hasMore, next: page.next } };
      },
    }),
  ];
}
