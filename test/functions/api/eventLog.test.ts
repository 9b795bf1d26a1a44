import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventSchemas, eventTypes, type EventType } from '../../../shared/event/event.ts';
import type { ConnectionId } from '../../../shared/kernel/id.ts';
import { aBatch, aMessageFact } from '../../shared/event/eventStores.ts';
import { recordFacts } from '../../shared/event/recordFacts.ts';
import { anAccount, ApiStack } from './apiStack.ts';

const MESSAGES = 120;
/** A Lambda function answers at most 6 MB. */
const ANSWER_BYTES = 6_000_000;

describe('the event log over the API', () => {
  let stack: ApiStack;
  let tenant: Awaited<ReturnType<ApiStack['tenant']>>;
  const connections: ConnectionId[] = [];
  beforeAll(async () => {
    stack = await ApiStack.start();
    tenant = await stack.tenant();
    for (const name of ['many', 'few']) {
      const connectionId = await stack.connection(tenant, anAccount);
      connections.push(connectionId);
      const count = name === 'many' ? MESSAGES : 3;
      const facts = Array.from({ length: count }, (_, index) =>
        aMessageFact({
          content: { type: 'text', text: { body: `${name} ${index}` } },
          receivedAtMs: 1_790_000_000_000 + index,
        }),
      );
      for (let from = 0; from < count; from += 10) {
        const batch = aBatch(
          { tenantId: tenant.tenantId, connectionId },
          facts.slice(from, from + 10),
          `${name}-${from}`,
        );
        await recordFacts(stack.dependencies, batch);
      }
    }
  });
  afterAll(() => stack.stop());

  const get = (path: string) => stack.call('GET', path, { key: tenant.key });
  /** All events that a filter lets through, page by page. */
  const read = async (filter: string) => {
    const events: { readonly id: string; readonly type: string; readonly connectionId: string }[] = [];
    for (let after = ''; ;) {
      const { status, body } = await get(`/v1/events?limit=7${filter}${after}`);
      expect(status).toBe(200);
      events.push(...(body['data'] as typeof events));
      if (body['hasMore'] !== true) return events;
      after = `&after=${String(body['next'])}`;
    }
  };

  it('is read by connection and by type, without a gap, a repeat or a stranger', async () => {
    const all = await read('');
    const [many, few] = await Promise.all(connections.map((id) => read(`&connectionId=${id}`)));
    const received = await read('&types=message.received');
    const others = await read('&types=message.status,media.ready');

    expect([all.length, many?.length, few?.length]).toEqual([MESSAGES + 3, MESSAGES, 3]);
    expect(many?.map(({ id }) => id)).toEqual(
      all.filter((one) => one.connectionId === connections[0]).map(({ id }) => id),
    );
    expect(received.map(({ id }) => id)).toEqual(all.map(({ id }) => id));
    expect(others).toEqual([]);
    expect(await read(`&types=message.received&connectionId=${connections[1]}`)).toEqual(few);
    expect(await read('&connectionId=con_01ARZ3NDEKTSV4RRFFQ69G5FAV')).toEqual([]);
  });

  it('goes on from one place with any filter', async () => {
    const { body } = await get(`/v1/events?limit=7&connectionId=${connections[1]}`);
    const rest = await get(`/v1/events?limit=100&after=${String(body['next'])}`);

    expect(rest.status).toBe(200);
  });

  it.each(['message', 'message.received,', '', 'message.received,nothing'])('refuses %j as types', async (types) => {
    const { status, body } = await get(`/v1/events?types=${types}`);

    expect(status).toBe(400);
    expect(JSON.stringify(body)).toContain('GET /v1/event-types');
  });

  it('has a catalogue: each type once, with a schema and an example of it', async () => {
    const { status, body, bytes } = await get('/v1/event-types');
    const rows = body['data'] as {
      readonly type: EventType;
      readonly description: string;
      readonly schema: object;
      readonly example: unknown;
    }[];

    expect([status, rows.map(({ type }) => type)]).toEqual([200, eventTypes]);
    for (const { type, example, description, schema } of rows) {
      expect(eventSchemas[type].safeParse(example).success).toBe(true);
      expect(description).not.toBe('');
      expect(schema).toMatchObject({ type: 'object', properties: { type: { const: type } } });
    }
    expect(bytes.length).toBeLessThan(ANSWER_BYTES / 2);
  });
});
