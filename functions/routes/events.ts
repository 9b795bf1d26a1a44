import { z } from 'zod';
import { eventSchema, eventTypes, type EventType } from '../../shared/event/event.ts';
import { isWanted, type EventFilter } from '../../shared/event/eventFilter.ts';
import type { EventLogDependencies } from '../../shared/event/eventLog.ts';
import { readEvents, type EventPage } from '../../shared/event/readEvents.ts';
import type { TenantId } from '../../shared/kernel/id.ts';
import { route, type Route } from '../http/route.ts';
import { limitSchema, pageOf } from './views.ts';

/** A page of the log. The log has no last page: `next` is there in each, to go on from when something has happened. */
const eventPageSchema = pageOf(eventSchema).extend({
  next: z
    .string()
    .meta({ description: 'Where to go on: now if `hasMore`, later if not. Keep it as your place in the log.' }),
});

const TYPES: ReadonlySet<string> = new Set(eventTypes);
const typesSchema = z
  .string()
  .transform((text) => text.split(','))
  .refine((types) => types.every((type) => TYPES.has(type)), {
    error: 'must be types of events with commas between; GET /v1/event-types lists them',
  })
  .transform((types): ReadonlySet<EventType> => new Set(types as EventType[]));

/** The most pages that one request looks through for events that are wanted. */
const PAGES_OF_REQUEST = 10;

export function eventRoutes(dependencies: EventLogDependencies): readonly Route[] {
  return [
    route('GET', '/v1/events', {
      summary: 'Read the event log, each connection in its order; go on with `next`',
      description:
        'With a filter, `next` passes what is not wanted as well: a page may be empty and have more. The place serves any filter.',
      query: z.strictObject({
        after: z.string().optional().meta({ description: '`next` of the page before; no event id.' }),
        limit: limitSchema,
        types: typesSchema.optional().meta({
          description: 'Only events of these types, with commas between.',
          example: 'message.received,message.status',
        }),
        connectionId: z.string().max(64).optional().meta({ description: 'Only events of this connection.' }),
      }),
      answers: { status: 200, schema: eventPageSchema },
      handle: async ({ tenantId, query: { after, limit, ...filter } }) => {
        const page = await readWanted(dependencies, tenantId, after, limit, filter);
        return { status: 200, json: { data: page.events, hasMore: page.hasMore, next: page.next } };
      },
    }),
  ];
}

/** Reads on until there is a wanted event, the log ends, or enough was looked through. */
async function readWanted(
  dependencies: EventLogDependencies,
  tenantId: TenantId,
  after: string | undefined,
  limit: number,
  filter: EventFilter,
): Promise<EventPage> {
  let page = await readEvents(dependencies, tenantId, after, limit);
  const isAll = filter.types === undefined && filter.connectionId === undefined;
  if (isAll) return page;
  const wanted = page.events.filter((event) => isWanted(event, filter));
  for (let pages = 1; pages < PAGES_OF_REQUEST && page.hasMore && wanted.length === 0; pages += 1) {
    page = await readEvents(dependencies, tenantId, page.next, limit);
    wanted.push(...page.events.filter((event) => isWanted(event, filter)));
  }
  return { ...page, events: wanted };
}
