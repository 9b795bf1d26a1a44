import { z } from 'zod';
import { ApiClient } from '../infra/local/apiClient.ts';
import { eventSchema, type TenantEvent } from '../shared/event/event.ts';
import { problemOf } from './readFleet.ts';
import { Failed } from './sentence.ts';

/** A summary of a tenant's event log: its messages and connections. */
export interface TenantLog {
  readonly events: number;
  /** The cursor to go on from; undefined when the log was read to its end. */
  readonly rest: string | undefined;
  readonly messages: Readonly<Record<'sent' | 'delivered' | 'failed' | 'expired' | 'received', number>>;
  readonly reconnects: number;
  readonly sentToDeliveredMs: readonly number[];
}

const pageSchema = z.object({ data: z.array(eventSchema), hasMore: z.boolean(), next: z.string() });
const PAGE = 100;
/** The bound on reading: 50 pages. */
const MOST_EVENTS = 5_000;

/**
 * Reads a tenant's event log from a cursor on, with the tenant's own key, since no operator can read it. Throws Failed
 * with one sentence.
 */
export async function readTenantLog(url: string, key: string, after: string | undefined): Promise<TenantLog> {
  const client = new ApiClient(url, key);
  const events: TenantEvent[] = [];
  let cursor = after;
  for (;;) {
    const query = new URLSearchParams({ limit: String(PAGE), ...(cursor === undefined ? {} : { after: cursor }) });
    const answer = await client.call('GET', `/v1/events?${query.toString()}`);
    if (answer.status >= 400) throw new Failed(problemOf(answer, url));
    const { data, hasMore, next } = pageSchema.parse(answer.json);
    events.push(...data);
    if (!hasMore || events.length >= MOST_EVENTS) return summarise(events, hasMore ? next : undefined);
    cursor = next;
  }
}

/** Counts the events by kind and outcome. The function is pure. */
export function summarise(events: readonly TenantEvent[], rest: string | undefined): TenantLog {
  const statuses = events.filter((event) => event.type === 'message.status');
  const timesOf = (status: string): ReadonlyMap<string, number> =>
    new Map(
      statuses
        .filter(({ data }) => data.status === status)
        .map(({ data, occurredAt }) => [data.messageId, Date.parse(occurredAt)]),
    );
  const [sent, delivered] = [timesOf('sent'), timesOf('delivered')];
  return {
    events: events.length,
    rest,
    messages: {
      sent: sent.size,
      delivered: delivered.size,
      failed: timesOf('failed').size,
      expired: timesOf('expired').size,
      received: events.filter(({ type }) => type === 'message.received').length,
    },
    reconnects: events.filter(({ type, data }) => type === 'connection.status' && data.status === 'reconnecting')
      .length,
    // The difference is at least 0: by the clocks of two machines a message may seem to arrive before it left.
    sentToDeliveredMs: [...delivered].flatMap(([id, atMs]) => {
      const sentAtMs = sent.get(id);
      return sentAtMs === undefined ? [] : [Math.max(0, atMs - sentAtMs)];
    }),
  };
}
