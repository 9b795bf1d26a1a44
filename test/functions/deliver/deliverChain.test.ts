import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readDeadLetters } from '../../../shared/deadLetters/readDeadLetters.ts';
import { settleDeadLetters } from '../../../shared/deadLetters/settleDeadLetters.ts';
import type { Endpoint } from '../../../shared/webhook/endpoint.ts';
import { CHAIN_STOOD_MS } from '../../../shared/webhook/chain.ts';
import { DELIVERY_ATTEMPTS } from '../../../shared/webhook/attempt.ts';
import { releaseFailed, releaseWaiting } from '../../../shared/webhook/releaseDeliveries.ts';
import { takeDeliveries } from '../queueStack.ts';
import {
  aStrictEndpoint,
  postedTo,
  recordInChain,
  startChainWorld,
  tellInChain,
  type ChainWorld,
} from './chainWorld.ts';
import { queueInTime } from './queueInTime.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describe('a webhook in strict order', () => {
  let world: ChainWorld;
  let paths = 0;
  beforeAll(async () => {
    world = await startChainWorld();
  });
  afterAll(() => world.stop());

  const aPath = (): string => `/hook/${(paths += 1)}`;
  const inTime = () => queueInTime(world.stack, world.poster);
  const posted = (path: string) => postedTo(world, path);
  /** The posts of a path of which the receiver took the event. */
  const countFor = (path: string, id: string): number => posted(path).filter((one) => one === id).length;
  const refusing = (ids: ReadonlySet<string>) => (id: string) => (ids.has(id) ? 500 : 200);
  const standing = async ({ tenantId, endpointId }: Endpoint) => world.stack.endpoints.find(tenantId, endpointId);

  it('gets the events of a connection in their order, whichever delivery comes first', async () => {
    const path = aPath();
    const endpoint = await aStrictEndpoint(world, path);
    const told = [
      await recordInChain(world, endpoint, 'con_1'),
      await recordInChain(world, endpoint, 'con_1', 3),
      await recordInChain(world, endpoint, 'con_1'),
    ];

    const { attempt, shown } = inTime();
    const backwards = told.flatMap(({ deliveries }) => deliveries).toReversed();
    const left = await Promise.all(backwards.map((delivery) => attempt(shown(delivery))));

    expect(left).toEqual([undefined, undefined, undefined]);
    expect(posted(path)).toEqual(told.flatMap(({ eventIds }) => eventIds));
  });

  it('goes on with a chain whose delivery is lost as soon as an event comes, and counts it', async () => {
    const path = aPath();
    const endpoint = await aStrictEndpoint(world, path);
    const { attempt, shown } = inTime();
    const [first] = (await recordInChain(world, endpoint, 'con_lost')).deliveries;
    if (first === undefined) throw new Error('there is one delivery');
    world.answer = () => 500;
    const hidden = await attempt(shown(first));
    world.answer = () => 200;
    world.stack.clock.advance(CHAIN_STOOD_MS + 60_000);
    const before = world.stack.metrics.totalOf('ChainsStood');

    const [second] = (await recordInChain(world, endpoint, 'con_lost')).deliveries;
    if (second === undefined) throw new Error('there is another one');
    await attempt(shown(second));

    expect(hidden).toBeDefined();
    expect(new Set(posted(path)).size).toBe(2);
    expect(world.stack.metrics.totalOf('ChainsStood') - before).toBe(1);
  });

  it('holds a connection behind the event that is not taken, and no other one', async () => {
    const path = aPath();
    const endpoint = await aStrictEndpoint(world, path);
    const held = [
      ...(await tellInChain(world, endpoint, 'con_held', 2)),
      ...(await tellInChain(world, endpoint, 'con_held')),
    ];
    const free = await tellInChain(world, endpoint, 'con_free', 2);
    let isRefused = true;
    world.answer = (id) => (isRefused && id === held[0] ? 500 : 200);

    const { goOn } = inTime();
    const left = await goOn(endpoint, [], world.stack.clock.nowMs() + 1_000);
    const before = posted(path);
    isRefused = false;
    await goOn(endpoint, left);

    expect(before.filter((id) => free.includes(id as (typeof free)[number]))).toEqual(free);
    expect(before).not.toContain(held[1]);
    expect(left).toHaveLength(1);
    expect([...new Set(posted(path).filter((id) => !free.includes(id as (typeof free)[number])))]).toEqual(held);
    expect(held.map((id) => countFor(path, id))).toEqual([2, 1, 1]);
  });

  it('is tried by its schedule alone, however much happens meanwhile, and one message stands for all that waits', async () => {
    const path = aPath();
    const endpoint = await aStrictEndpoint(world, path);
    const eventIds = [...(await tellInChain(world, endpoint, 'con_1'))];
    world.answer = () => 503;
    const { goOn } = inTime();
    let left = await goOn(endpoint, [], world.stack.clock.nowMs() + 1_000);

    for (let more = 0; more < 10; more += 1) {
      eventIds.push(...(await tellInChain(world, endpoint, 'con_1')));
      left = await goOn(endpoint, left, world.stack.clock.nowMs() + 100);
    }
    const tried = posted(path);
    const standsFor = left.length;
    world.answer = () => 200;
    await goOn(endpoint, left);

    expect(tried).toEqual([eventIds[0]]);
    expect(standsFor).toBe(1);
    expect(posted(path)).toEqual([eventIds[0], ...eventIds]);
  });

  it('passes nothing while its receiver takes nothing, for the whole schedule and longer, and goes on in order when it is back', async () => {
    const path = aPath();
    const endpoint = await aStrictEndpoint(world, path);
    const [one, other] = [
      await tellInChain(world, endpoint, 'con_1', 3),
      await tellInChain(world, endpoint, 'con_2', 3),
    ];
    world.answer = () => 500;
    const startMs = world.stack.clock.nowMs();

    const { goOn } = inTime();
    const left = await goOn(endpoint, [], startMs + 4 * DAY_MS);
    const tried = posted(path);
    world.answer = () => 200;
    await goOn(endpoint, left);

    const taken = posted(path).slice(tried.length);
    expect(new Set(tried)).toEqual(new Set([one[0], other[0]]));
    expect(tried.length).toBeGreaterThan(DELIVERY_ATTEMPTS);
    expect(taken.filter((id) => one.includes(id as (typeof one)[number]))).toEqual(one);
    expect(taken.filter((id) => other.includes(id as (typeof other)[number]))).toEqual(other);
    expect(taken).toHaveLength(6);
    const { letters } = await readDeadLetters(world.stack, { kinds: ['deliveries'], tenantId: endpoint.tenantId }, 10);
    expect(letters).toEqual([]);
  });

  it('stays where it is when its webhook is disabled after days, and goes on in order when that is resumed', async () => {
    const path = aPath();
    const endpoint = await aStrictEndpoint(world, path);
    const eventIds = await tellInChain(world, endpoint, 'con_1', 3);
    world.answer = () => 500;

    const { goOn } = inTime();
    await goOn(endpoint, []);
    const tried = posted(path);
    const disabled = await standing(endpoint);
    world.answer = () => 200;
    await world.stack.endpoints.resume(endpoint.tenantId, endpoint.endpointId);
    await releaseWaiting(world.stack, endpoint.endpointId, { nowMs: world.stack.clock.nowMs(), evenIfAsked: true });
    await goOn(endpoint, []);

    expect(disabled?.disabling?.because).toBe('failing');
    expect(new Set(tried)).toEqual(new Set([eventIds[0]]));
    expect(posted(path).slice(tried.length)).toEqual(eventIds);
  });

  it('gives an event up that its receiver does not take while it takes others, goes on behind it, and back to it when it is redriven', async () => {
    const path = aPath();
    const endpoint = await aStrictEndpoint(world, path);
    const [first, poison, ...behind] = await tellInChain(world, endpoint, 'con_1', 4);
    const others: string[] = [];
    world.answer = refusing(new Set([String(poison)]));
    const startMs = world.stack.clock.nowMs();

    const { goOn } = inTime();
    let left = await goOn(endpoint, [], startMs + 1_000);
    // The receiver takes what happens on another connection, hour by hour.
    for (let hour = 1; hour <= 60; hour += 1) {
      others.push(...(await tellInChain(world, endpoint, 'con_2')));
      left = await goOn(endpoint, left, startMs + hour * HOUR_MS);
    }
    await goOn(endpoint, left);
    const before = posted(path);
    const { letters } = await readDeadLetters(world.stack, { kinds: ['deliveries'], tenantId: endpoint.tenantId }, 10);
    world.answer = () => 200;
    const most = { looked: 100, settled: 100 };
    const all = { act: 'redrive', by: 'test', isMeant: () => true, most } as const;
    await settleDeadLetters({ ...world.stack, findConnection: () => Promise.resolve(undefined) }, 'deliveries', all);
    await goOn(endpoint, []);
    const { released } = await releaseFailed(world.stack, endpoint.endpointId, {
      nowMs: world.stack.clock.nowMs(),
      sinceMs: startMs,
      after: undefined,
    });

    const own = before.filter((id) => !others.includes(id));
    expect(own).toEqual([first, ...Array<unknown>(DELIVERY_ATTEMPTS).fill(poison), ...behind]);
    expect(before.filter((id) => others.includes(id))).toEqual(others);
    expect(letters).toMatchObject([{ reason: 'not_taken', firstFailure: { httpStatus: 500 } }]);
    expect(posted(path).slice(before.length)).toEqual([poison, ...behind]);
    expect(released).toBe(0);
  });

  it('gets what failed by one call, each connection from its event on', async () => {
    const path = aPath();
    const endpoint = await aStrictEndpoint(world, path);
    const eventIds = await tellInChain(world, endpoint, 'con_1', 3);
    world.answer = () => 500;
    const { goOn } = inTime();
    const startMs = world.stack.clock.nowMs();
    const left = await goOn(endpoint, [], startMs + 2 * HOUR_MS);
    const tried = posted(path).length;
    world.answer = () => 200;

    const nowMs = world.stack.clock.nowMs();
    const { released } = await releaseFailed(world.stack, endpoint.endpointId, {
      nowMs,
      sinceMs: startMs,
      after: undefined,
    });
    await goOn(endpoint, left, nowMs + 1);
    const takenAtOnce = posted(path).slice(tried);
    await goOn(endpoint, left);

    expect(released).toBe(1);
    expect(takenAtOnce).toEqual(eventIds);
    expect(posted(path).slice(tried)).toEqual(eventIds);
  });

  it('gets batches in order, and one that failed again with the same events', async () => {
    const path = aPath();
    const endpoint = await aStrictEndpoint(world, path, { batch: { maxEvents: 3 } });
    const eventIds = [...(await tellInChain(world, endpoint, 'con_1', 2))];
    world.answer = () => 500;
    const { goOn } = inTime();
    const left = await goOn(endpoint, [], world.stack.clock.nowMs() + 1_000);
    eventIds.push(...(await tellInChain(world, endpoint, 'con_1', 4)));
    world.answer = () => 200;
    await goOn(endpoint, left);

    const posts = world.receiver.received.filter((post) => post.path === path);
    expect(posts.map(({ body }) => (JSON.parse(body) as { events: unknown[] }).events.length)).toEqual([2, 2, 3, 1]);
    expect(posts[0]?.headers['webhook-id']).toBe(posts[1]?.headers['webhook-id']);
    expect(posted(path).slice(2)).toEqual(eventIds);
  });

  it('that is in strict order no more gets what waited as any event', async () => {
    const path = aPath();
    const endpoint = await aStrictEndpoint(world, path);
    const eventIds = await tellInChain(world, endpoint, 'con_1', 3);
    world.answer = refusing(new Set([String(eventIds[0])]));
    const { goOn } = inTime();
    const left = await goOn(endpoint, [], world.stack.clock.nowMs() + 1_000);

    const allowed = { refusalOf: () => Promise.resolve(undefined) };
    await world.stack.endpoints.change(allowed, endpoint, { order: null });
    const later = await goOn(endpoint, left, world.stack.clock.nowMs() + 10_000);

    expect(new Set(posted(path))).toEqual(new Set(eventIds));
    world.answer = () => 200;
    await goOn(endpoint, later);
    expect(await takeDeliveries(world.stack)).toEqual([]);
  });

  it('that answers 410 gets nothing of what waited, and what happens after it is resumed', async () => {
    const path = aPath();
    const endpoint = await aStrictEndpoint(world, path);
    const eventIds = await tellInChain(world, endpoint, 'con_1', 3);
    world.answer = () => 410;
    const { goOn } = inTime();
    await goOn(endpoint, []);

    world.answer = () => 200;
    await world.stack.endpoints.resume(endpoint.tenantId, endpoint.endpointId);
    const after = await tellInChain(world, endpoint, 'con_1');
    await goOn(endpoint, []);

    expect(posted(path)).toEqual([eventIds[0], ...after]);
  });
});
