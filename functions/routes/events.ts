import { z } from 'zod';
import { eventSchema } from '../../shared/event/event.ts';
import { readEvents, type EventLogDependencies } from '../../shared/event/eventLog.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import { parseEventId, type EventId } from '../../shared/kernel/id.ts';
import { route, type Route } from '../route.ts';
import { limitSchema, pageOf } from './views.ts';

export function eventRoutes(dependencies: EventLogDependencies): readonly Route[] {
  return [
    route('GET', '/v1/events', {
      summary: "Read the event log after an event's id, oldest first; go on with `next`",
      query: z.strictObject({ after: z.string().optional(), limit: limitSchema }),
      answers: { status: 200, schema: pageOf(eventSchema) },
      handle: async ({ tenantId, query }) => {
        if (query.after !== undefined && parseEventId(query.after) === undefined) throw new AppError('invalid_cursor');
        const page = await readEvents(dependencies, tenantId, query.after as EventId | undefined, query.limit);
        return { status: 200, json: { data: page.events, ...(page.next === undefined ? {} : { next: page.next }) } };
      },
    }),
  ];
}
