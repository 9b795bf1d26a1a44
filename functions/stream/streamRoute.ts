import { z } from 'zod';
import { filterQuery } from '../../shared/event/eventFilter.ts';
import { AppError } from '../../shared/kernel/appError.ts';
import { route, type Route } from '../http/route.ts';

export const streamQuery = z.strictObject({
  ticket: z.string().max(100).optional().meta({
    description: 'A ticket instead of a key, for browsers: POST /v1/events/stream-tickets.',
  }),
  after: z.string().optional().meta({
    description:
      'Begin behind this place: an `id` of the stream, or `next` of a page. `Last-Event-ID` comes before it.',
  }),
  from: z.enum(['now', 'oldest']).optional().meta({
    description: 'Where to begin without a place: `now`, unless you say `oldest`, the oldest event that is kept.',
  }),
  ...filterQuery,
});

export const STREAM_PATH = '/v1/events/stream';

/**
 * The stream of events, for the document of the API. It is served by a handler of its own, since its answer does not end.
 * @param streamUrl where the stage serves streams; undefined for nowhere
 */
export function streamRoute(streamUrl: string | undefined): Route {
  return route('GET', STREAM_PATH, {
    summary: 'Be told events as they happen, as server-sent events',
    description:
      'The answer is `text/event-stream` and goes on until one side ends it. Connect again with `Last-Event-ID`, the `id` of the last event that you have: nothing is missed, and nothing comes twice. docs/events.md says what comes in it.',
    query: streamQuery,
    headers: ['last-event-id'],
    problems: ['ticket_invalid', 'connection_not_found', 'too_many_readers', 'streams_not_served'],
    answers: { status: 200, stream: true },
    // Where the address of the API serves streams, their handler answers before this one.
    handle: () => Promise.reject(new AppError('streams_not_served', detailOf(streamUrl))),
  });
}

/** Clients are not sent there by a redirect: most of them would leave their key behind, and the rest would hand it to whoever answers. */
function detailOf(streamUrl: string | undefined): { readonly detail?: string } {
  if (streamUrl === undefined || streamUrl === '') return {};
  return { detail: `Streams have an address of their own here: ${streamUrl}${STREAM_PATH}` };
}
