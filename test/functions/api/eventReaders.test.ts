import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ReaderSlots } from '../../../shared/event/readerSlots.ts';
import { usualQuotas } from '../../../shared/platform/quotaRows.ts';
import type { ConnectionId } from '../../../shared/kernel/id.ts';
import { readerPartition } from '../../../shared/platform/keys.ts';
import { allOf, queryItems } from '../../../shared/platform/pages.ts';
import { tableName } from '../../../shared/platform/tables.ts';
import { aBatch, aMessageFact } from '../../shared/event/eventStores.ts';
import { recordFacts } from '../../shared/event/recordFacts.ts';
import { untilSo } from '../stream/streamStage.ts';
import { anAccount, ApiStack } from './apiStack.ts';

const GROUP = '120363000000000001@g.us';

describe('readers of the event log', () => {
  let stack: ApiStack;
  let tenant: Awaited<ReturnType<ApiStack['tenant']>>;
  let connectionId: ConnectionId;
  let count = 0;
  beforeAll(async () => {
    stack = await ApiStack.start();
    tenant = await stack.tenant();
    connectionId = await stack.connection(tenant, anAccount);
  });
  afterAll(() => stack.stop());

  const get = (query: string) => stack.call('GET', `/v1/events?${query}`, { key: tenant.key });
  const idsIn = (body: Record<string, unknown>) => (body['data'] as { readonly id: string }[]).map(({ id }) => id);
  /** Records a message that has come in a chat. */
  const receive = async (chat?: string): Promise<void> => {
    count += 1;
    const fact = aMessageFact({ ...(chat === undefined ? {} : { chat }), receivedAtMs: 1_790_000_000_000 + count });
    await recordFacts(stack.dependencies, aBatch({ tenantId: tenant.tenantId, connectionId }, [fact], `r-${count}`));
  };
  const end = async (): Promise<string> => {
    let { body } = await get('limit=100');
    while (body['hasMore'] === true) ({ body } = await get(`limit=100&after=${String(body['next'])}`));
    return String(body['next']);
  };
  /** How many places of requests that wait are taken. */
  const slotsTaken = async (): Promise<number> => {
    const { pk, prefix } = readerPartition(tenant.tenantId, 'waiting');
    const rows = queryItems(stack.dependencies.table, {
      TableName: tableName('test', 'core'),
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': pk, ':prefix': prefix },
      ConsistentRead: true,
    });
    return (await allOf(rows)).length;
  };

  it('choose by the kind of chat, alone and with others', async () => {
    const after = await end();
    await receive();
    await receive(GROUP);
    const all = idsIn((await get(`after=${after}`)).body);
    const of = async (kinds: string) => idsIn((await get(`after=${after}&chatKind=${kinds}`)).body);

    expect(all).toHaveLength(2);
    expect(await of('people')).toEqual([all[0]]);
    expect(await of('groups')).toEqual([all[1]]);
    expect(await of('groups,people')).toEqual(all);
    expect(await of('statusUpdates,newsletters')).toEqual([]);
  });

  it('are told which kinds of chats there are, where they ask for another', async () => {
    const { status, body } = await get('chatKind=group');

    expect(status).toBe(400);
    expect(JSON.stringify(body)).toContain('people, groups, statusUpdates');
  });

  it('are answered while they wait, by the first event that they want', async () => {
    const after = await end();
    const waiting = get(`after=${after}&chatKind=groups&wait=20`);
    await untilSo('the request waits', async () => (await slotsTaken()) === 1);
    await receive();
    await receive(GROUP);
    const { status, body } = await waiting;

    expect(status).toBe(200);
    expect(idsIn(body)).toHaveLength(1);
    expect(await slotsTaken()).toBe(0);
  });

  it('are answered with nothing at the end of their wait, and go on where they were', async () => {
    const after = await end();
    const { status, body } = await get(`after=${after}&wait=1`);
    await receive();
    const later = await get(`after=${String(body['next'])}&wait=20`);

    expect([status, body['data'], body['hasMore']]).toEqual([200, [], false]);
    expect(idsIn(later.body)).toHaveLength(1);
  });

  it('wait three at a time; one more is told to come later, and does not wait', async () => {
    const after = await end();
    const waiting = Array.from({ length: usualQuotas.waitingRequests }, () => get(`after=${after}&wait=20`));
    await untilSo('all of them wait', async () => (await slotsTaken()) === usualQuotas.waitingRequests);
    const { status, body, headers } = await get(`after=${after}&wait=20`);
    await receive();
    const answers = await Promise.all(waiting);

    expect([status, body['code'], headers['retry-after']]).toEqual([429, 'too_many_readers', '20']);
    expect(answers.map((one) => idsIn(one.body).length)).toEqual([1, 1, 1]);
    expect(await slotsTaken()).toBe(0);
  });

  it.each(['21', '-1', '1.5', 'long', ''])('are refused a wait of %j', async (wait) => {
    const { status, body } = await get(`wait=${wait}`);

    expect(status).toBe(400);
    expect(JSON.stringify(body['fields'])).toContain('?wait');
  });
});

describe('places of readers', () => {
  let stack: ApiStack;
  beforeAll(async () => {
    stack = await ApiStack.start();
  });
  afterAll(() => stack.stop());

  it('are free again when their time is over, and then are not the first holder’s', async () => {
    const { tenantId } = await stack.tenant();
    let nowMs = 1_790_000_000_000;
    const slots = new ReaderSlots({
      ...stack.dependencies,
      clock: { ...stack.dependencies.clock, nowMs: () => nowMs },
    });
    const first = await slots.take(tenantId, 'waiting', { most: 1, forMs: 1_000 });
    const tooEarly = await slots.take(tenantId, 'waiting', { most: 1, forMs: 1_000 });
    nowMs += 1_001;
    const second = await slots.take(tenantId, 'waiting', { most: 1, forMs: 1_000 });
    if (first === undefined || second === undefined) throw new Error('a place was free');
    await slots.release(first);

    expect(tooEarly).toBeUndefined();
    expect(await slots.take(tenantId, 'waiting', { most: 1, forMs: 1_000 })).toBeUndefined();
  });

  it('are never held by more than there are, however many ask at once', async () => {
    const { tenantId } = await stack.tenant();
    const slots = new ReaderSlots(stack.dependencies);
    const asked = await Promise.all(
      Array.from({ length: 12 }, () => slots.take(tenantId, 'waiting', { most: 4, forMs: 60_000 })),
    );
    const held = asked.filter((slot) => slot !== undefined);

    expect(held.length).toBeLessThanOrEqual(4);
    expect(new Set(held.map(({ number }) => number)).size).toBe(held.length);
  });
});
