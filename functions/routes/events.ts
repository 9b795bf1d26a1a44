import { z } from 'zod';
import { eventSchema } from '../../shared/event/event.ts';
import { filterQuery, isWanted, type EventFilter } from '../../shared/event/eventFilter.ts';
import type { EventLogDependencies } from '../../shared/event/eventLog.ts';
import type { ReaderSlots } from '../../shared/event/readerSlots.ts';
import { readEvents, type EventPage } from '../../shared/event/readEvents.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import type { TenantId } from '../../shared/kernel/id.ts';
import { usualQuotas } from '../../shared/platform/quotaRows.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { route, type Route } from '../http/route.ts';
import { limitSchema, pageOf } from './views.ts';

export interface EventRouteDependencies extends EventLogDependencies, Pick<Surroundings, 'logger'> {
  readonly readerSlots: Pick<ReaderSlots, 'take' | 'release'>;
}

/** A page of the log. The log has no last page: `next` is there in each, to go on from when something has happened. */
const eventPageSchema = pageOf(eventSchema).extend({
  next: z
    .string()
    .meta({ description: 'Where to go on: now if `hasMore`, later if not. Keep it as your place in the log.' }),
});

/** The most pages that one request looks through for events that are wanted. */
const PAGES_OF_REQUEST = 10;
/** The longest wait for an event, in seconds: API Gateway ends a request after 30. */
const MOST_WAIT_SECONDS = 20;
/** How often a request that waits looks at the log, in milliseconds. A look costs one read. */
const LOOK_EVERY_MS = 500;
/** How long after its wait a place is given to another, where a process died that held it, in milliseconds. */
const SPARE_MS = 10_000;

const waitSchema = z
  .string()
  .regex(/^\d{1,2}$/, { error: 'must be a whole number of seconds' })
  .transform(Number)
  .refine((seconds) => seconds <= MOST_WAIT_SECONDS, { error: `must be at most ${MOST_WAIT_SECONDS}` });

interface Question {
  readonly tenantId: TenantId;
  readonly after: string | undefined;
  readonly limit: number;
  readonly filter: EventFilter;
}

export function eventRoutes(dependencies: EventRouteDependencies): readonly Route[] {
  return [
    route('GET', '/v1/events', {
      summary: 'Read the event log, each connection in its order; go on with `next`',
      description:
        'With a filter, `next` passes what is not wanted as well: a page may be empty and have more. The place serves any filter.',
      query: z.strictObject({
        after: z.string().optional().meta({ description: '`next` of the page before; no event id.' }),
        limit: limitSchema,
        ...filterQuery,
        wait: waitSchema.optional().meta({
          description: `Where there is nothing new: how many seconds to wait for it, 0 to ${MOST_WAIT_SECONDS}. The answer comes as soon as there is an event that is wanted. ${usualQuotas.waitingRequests} requests of a tenant wait at once where its quotas say nothing else; one more is 429 \`too_many_readers\`.`,
          example: '20',
        }),
      }),
      problems: ['connection_not_found', 'too_many_readers'],
      answers: { status: 200, schema: eventPageSchema },
      handle: async ({ tenantId, quotas, query: { after, limit, wait = 0, ...filter } }) => {
        const question = { tenantId, after, limit, filter };
        const page = await readWanted(dependencies, question);
        const isOver = wait === 0 || page.events.length > 0 || page.hasMore;
        const { events, hasMore, next } = isOver
          ? page
          : await awaitWanted(dependencies, question, page.next, {
              seconds: wait,
              most: (await quotas()).waitingRequests,
            });
        return { status: 200, json: { data: events, hasMore, next } };
      },
    }),
  ];
}

/**
 * Looks at the log again and again, until there is a wanted event or the wait is over. Throws `too_many_readers` where
 * the tenant has no place for one more request that waits. A process that dies here leaves its place for a few seconds.
 */
async function awaitWanted(
  dependencies: EventRouteDependencies,
  question: Question,
  next: string,
  { seconds, most }: { readonly seconds: number; readonly most: number },
): Promise<EventPage> {
  const { readerSlots, clock, logger } = dependencies;
  const { tenantId } = question;
  const waitMs = seconds * 1_000;
  const endsAtMs = clock.monotonicMs() + waitMs;
  const slot = await readerSlots.take(tenantId, 'waiting', { most, forMs: waitMs + SPARE_MS });
  if (slot === undefined) {
    // Where none may wait, none ever will.
    throw new AppError('too_many_readers', most === 0 ? {} : { retryAfterSeconds: seconds });
  }
  try {
    let page: EventPage = { events: [], next, hasMore: false };
    while (page.events.length === 0 && !page.hasMore) {
      const leftMs = endsAtMs - clock.monotonicMs();
      if (leftMs <= 0) break;
      await clock.sleep(Math.min(LOOK_EVERY_MS, leftMs));
      page = await readWanted(dependencies, { ...question, after: page.next });
    }
    return page;
  } finally {
    // A place that could not be given back is free when its time is over.
    await readerSlots.release(slot).catch((error: unknown) => {
      logger.warn('place of a reader could not be given back', { tenantId, error });
    });
  }
}

/** Reads on until there is a wanted event, the log ends, or enough was looked through. */
async function readWanted(
  dependencies: EventLogDependencies,
  { tenantId, after, limit, filter }: Question,
): Promise<EventPage> {
  let page = await readEvents(dependencies, tenantId, after, limit);
  const wanted = page.events.filter((event) => isWanted(event, filter));
  for (let pages = 1; pages < PAGES_OF_REQUEST && page.hasMore && wanted.length === 0; pages += 1) {
    page = await readEvents(dependencies, tenantId, page.next, limit);
    wanted.push(...page.events.filter((event) => isWanted(event, filter)));
  }
  return { ...page, events: wanted };
}
