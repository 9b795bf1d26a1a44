import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordFacts } from '../../shared/event/recordFacts.ts';
import { toCursor } from '../../../shared/event/eventCursor.ts';
import { makeId, type ConnectionId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { aBatch, aMessageFact } from '../../shared/event/eventStores.ts';
import { eventIdOf } from '../../shared/event/loggedEvents.ts';
import { anAccount, ApiStack } from './apiStack.ts';

interface Page {
  readonly data: readonly { readonly id: string; readonly content?: unknown; readonly data?: unknown }[];
  readonly hasMore: boolean;
  readonly next?: string;
}
const MEGABYTE = 1_024 * 1_024;
/** A text of 4,096 letters in a script of India, which has as many bytes as such a text can have. */
const LONG_TEXT = 'क'.repeat(4_096);
const COUNT = 110;

describe('the lists of the API', () => {
  let stack: ApiStack;
  let tenant: Awaited<ReturnType<ApiStack['tenant']>>;
  let connectionId: ConnectionId;
  beforeAll(async () => {
    stack = await ApiStack.start();
    tenant = await stack.tenant();
    connectionId = await stack.connection(tenant, anAccount);
    const facts = Array.from({ length: COUNT }, (_, index) =>
      aMessageFact({
        content: { type: 'text', text: { body: `${index} ${LONG_TEXT}` } },
        receivedAtMs: 1_790_000_000_000 + index,
      }),
    );
    for (let from = 0; from < COUNT; from += 10) {
      const batch = aBatch({ tenantId: tenant.tenantId, connectionId }, facts.slice(from, from + 10), `batch-${from}`);
      await recordFacts(stack.dependencies, batch);
    }
  });
  afterAll(() => stack.stop());

  const get = (path: string) => stack.call('GET', path, { key: tenant.key });
  const pagesOf = async (path: string, cursor: 'after' | 'before'): Promise<readonly Page[]> => {
    const pages: Page[] = [];
    let from = '';
    for (;;) {
      const answer = await get(`${path}?limit=100${from}`);
      expect(answer.status).toBe(200);
      expect(answer.bytes.length).toBeLessThan(MEGABYTE);
      const page = answer.body as unknown as Page;
      pages.push(page);
      if (!page.hasMore) return pages;
      from = `&${cursor}=${page.next}`;
    }
  };
  /** A cursor behind a page of the first lane. */
  const placeAt = (page: number, tenantId = tenant.tenantId): string =>
    toCursor(tenantId, { generation: 0, turn: 0, lanes: [{ page, taken: 0 }] });
  const numbersIn = (contents: readonly unknown[]): readonly number[] =>
    contents.map((content) => Number.parseInt((content as { text: { body: string } }).text.body, 10));
  const all = Array.from({ length: COUNT }, (_, index) => index);

  it('bring every long message, in pages of less than a megabyte', async () => {
    const pages = await pagesOf(`/v1/connections/${connectionId}/messages`, 'before');

    const contents = pages.flatMap(({ data }) => data.map(({ content }) => content));
    expect(numbersIn(contents)).toEqual(all.toReversed());
    expect(pages.at(-1)).not.toHaveProperty('next');
  });

  it('bring every long event, and end with the place to go on from', async () => {
    const pages = await pagesOf('/v1/events', 'after');

    const contents = pages.flatMap(({ data }) => data.map((event) => (event.data as { content: unknown }).content));
    expect(numbersIn(contents)).toEqual(all);
    const last = await get(`/v1/events?after=${pages.at(-1)?.next}`);
    expect(last.body).toEqual({ data: [], hasMore: false, next: pages.at(-1)?.next });
  });

  it.each([
    ['an event', `/v1/events?after=${eventIdOf(1)}`],
    ['no event', '/v1/events?after=evt_1'],
    ['a place beyond the end', () => `/v1/events?after=${placeAt(COUNT + 1)}`],
    ["another tenant's place", () => `/v1/events?after=${placeAt(1, makeId('tnt', 0, systemRandom))}`],
    ['a place that was cut short', () => `/v1/events?after=${placeAt(1).slice(0, -1)}`],
    ['a text without end', `/v1/events?after=${'A'.repeat(4_000)}`],
    ['no message', `/v1/connections/{id}/messages?before=evt_000000000000100`],
    ['no connection', '/v1/connections?after=msg_01J0000000000000000000000A'],
  ])('refuse a cursor that names %s, and say what to do', async (_what, path) => {
    const answer = await get(typeof path === 'string' ? path.replace('{id}', connectionId) : path());

    expect([answer.status, answer.body['code']]).toEqual([400, 'invalid_cursor']);
    expect(answer.body['detail']).toMatch(/leave it out/i);
  });

  it('do not end at connections that wait to be removed', async () => {
    const other = await stack.tenant();
    const made: string[] = [];
    for (let index = 0; index < 6; index += 1) made.push(await stack.connection(other));
    const removed = made.slice(0, 4);
    for (const id of removed) await stack.call('DELETE', `/v1/connections/${id}`, { key: other.key });

    const answer = await stack.call('GET', '/v1/connections?limit=2', { key: other.key });

    const left = made.slice(4).sort();
    expect((answer.body['data'] as Page['data']).map(({ id }) => id)).toEqual(left);
    expect(answer.body['hasMore']).toBe(false);
  });
});
