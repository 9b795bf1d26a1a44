import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeId, type TenantId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { makeDocumentClient } from '../../../shared/platform/aws.ts';
import { silentLogger } from '../../../shared/platform/logger.ts';
import { usualQuotas, type Quotas } from '../../../shared/platform/quotaRows.ts';
import { BucketStore } from '../../../shared/quota/bucketStore.ts';
import { RateLimiter } from '../../../shared/quota/rateLimiter.ts';
import { createTables, startDynamoDb } from '../../emulators/dynamodb.ts';
import { aStoreConfig } from '../../emulators/storeConfig.ts';
import { makeTestClock, type TestClock } from '../event/testClock.ts';

describe('the rates of a tenant', { timeout: 120_000 }, () => {
  let dynamoDb: Awaited<ReturnType<typeof startDynamoDb>>;
  let store: BucketStore;
  let writes = 0;
  beforeAll(async () => {
    dynamoDb = await startDynamoDb();
    await createTables(dynamoDb.endpoint, 'test');
    const table = makeDocumentClient(aStoreConfig({ dynamoDb }));
    const send = table.send.bind(table);
    table.send = ((command: UpdateCommand) => {
      if (command instanceof UpdateCommand) writes += 1;
      return send(command);
    }) as typeof table.send;
    store = new BucketStore({ table, stage: 'test' });
  });
  afterAll(() => dynamoDb.stop());

  const aTenant = (): TenantId => makeId('tnt', Date.now(), systemRandom);
  const aProcess = (clock: TestClock): RateLimiter => new RateLimiter({ buckets: store, clock, logger: silentLogger });
  const quotas: Quotas = { ...usualQuotas, requests: 1_000 };

  /** Callers that ask again and again in several processes. Returns how many were let through, of how many. */
  const flood = async (
    clock: TestClock,
    {
      processes,
      callers,
      forMs,
      everyMs,
    }: { processes: RateLimiter[]; callers: number; forMs: number; everyMs: number },
    tenantId: TenantId,
  ) => {
    let [passed, asked] = [0, 0];
    for (let at = 0; at < forMs; at += everyMs) {
      const takes = Array.from({ length: callers }, (_, caller) => {
        const limiter = processes[caller % processes.length] as RateLimiter;
        return limiter.take({ tenantId, quota: 'requests' }, quotas);
      });
      passed += (await Promise.all(takes)).filter(({ outcome }) => outcome === 'taken').length;
      asked += callers;
      clock.advance(everyMs);
    }
    return { passed, asked };
  };

  it('are kept within 5 % by fifty callers in five processes, with few writes', async () => {
    const clock = makeTestClock();
    const tenantId = aTenant();
    const processes = Array.from({ length: 5 }, () => aProcess(clock));
    const parts = { processes, callers: 50, everyMs: 50 };
    // First the bucket is emptied; then a minute is measured, in which 60,000 requests come.
    await flood(clock, { ...parts, forMs: 20_000 }, tenantId);
    writes = 0;

    const { passed, asked } = await flood(clock, { ...parts, forMs: 60_000 }, tenantId);

    expect(passed).toBeGreaterThanOrEqual(0.95 * 6_000);
    expect(passed).toBeLessThanOrEqual(1.05 * 6_000);
    expect((writes / asked) * 1_000).toBeLessThan(40);
  });

  it('refuse nobody who keeps to them, with fewer than 60 writes for 1,000 requests', async () => {
    const clock = makeTestClock();
    const tenantId = aTenant();
    const processes = Array.from({ length: 5 }, () => aProcess(clock));
    writes = 0;

    // 90 in a second, where 100 may be.
    const { passed, asked } = await flood(clock, { processes, callers: 9, everyMs: 100, forMs: 60_000 }, tenantId);

    expect(passed).toBe(asked);
    expect((writes / asked) * 1_000).toBeLessThan(60);
  });

  it('cost no write for who asks now and then', async () => {
    const clock = makeTestClock();
    const process = aProcess(clock);
    writes = 0;

    const { passed } = await flood(
      clock,
      { processes: [process], callers: 1, everyMs: 6_000, forMs: 120_000 },
      aTenant(),
    );

    expect(passed).toBe(20);
    expect(writes).toBe(0);
  });

  it('allow as many at once as there are, refuse the next without a write, and allow it when it is due', async () => {
    const clock = makeTestClock();
    const [tenantId, process] = [aTenant(), aProcess(clock)];
    const ask = () => process.take({ tenantId, quota: 'pairings' }, { ...usualQuotas, pairings: 3 });
    const first = [await ask(), await ask(), await ask()];
    const refused = await ask();
    writes = 0;
    const again = await ask();
    const whileRefused = writes;
    clock.advance(1_200_000);
    const freed = await ask();

    expect(first.map(({ outcome }) => outcome)).toEqual(['taken', 'taken', 'taken']);
    expect(refused).toMatchObject({ outcome: 'refused', retryAfterSeconds: 1_200, state: { left: 0, most: 3 } });
    expect(again).toMatchObject({ outcome: 'refused' });
    expect(whileRefused).toBe(0);
    expect(freed).toMatchObject({ outcome: 'taken' });
  });

  it('never say that more is left than there ever is', async () => {
    const clock = makeTestClock();
    const [tenantId, process] = [aTenant(), aProcess(clock)];
    for (let time = 0; time < 3; time += 1) await process.take({ tenantId, quota: 'requests' }, quotas);
    clock.advance(500);

    const { state } = await process.take({ tenantId, quota: 'requests' }, quotas);

    expect(state.left).toBe(1_000);
  });

  it('say at once that a request wants more than there ever are', async () => {
    const process = aProcess(makeTestClock());

    const taken = await process.take(
      { tenantId: aTenant(), quota: 'messagesPerDay', tokens: 101 },
      { ...usualQuotas, messagesPerDay: 100 },
    );

    expect(taken.outcome).toBe('too_large');
  });

  it('are of each tenant, and of each of its connections, apart', async () => {
    const clock = makeTestClock();
    const process = aProcess(clock);
    const [one, other] = [aTenant(), aTenant()];
    const few = { ...usualQuotas, pairingsOfConnection: 1 };
    const ask = (tenantId: TenantId, of: string) => process.take({ tenantId, quota: 'pairingsOfConnection', of }, few);

    const outcomes = [await ask(one, 'a'), await ask(one, 'a'), await ask(one, 'b'), await ask(other, 'a')];

    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['taken', 'refused', 'taken', 'taken']);
  });

  it('let requests pass while the store does not answer, and have them paid for when it does', async () => {
    const clock = makeTestClock();
    const tenantId = aTenant();
    let isThere = false;
    const process = new RateLimiter({
      buckets: {
        take: (...asked) => (isThere ? store.take(...asked) : Promise.reject(new Error('nobody answers'))),
        giveBack: (...given) => store.giveBack(...given),
      },
      clock,
      logger: silentLogger,
    });
    const few = { ...usualQuotas, pairings: 10 };
    const ask = () => process.take({ tenantId, quota: 'pairings' }, few);
    const passed = [await ask(), await ask(), await ask()];
    isThere = true;
    clock.advance(2_000);
    const paid = await ask();
    const elsewhere = await aProcess(clock).take({ tenantId, quota: 'pairings', tokens: 7 }, few);

    expect(passed.map(({ outcome }) => outcome)).toEqual(['taken', 'taken', 'taken']);
    expect(paid).toMatchObject({ outcome: 'taken' });
    expect(elsewhere).toMatchObject({ outcome: 'refused' });
  });

  it('lose to a tenant no more than a slice of a process that died', async () => {
    const clock = makeTestClock();
    const tenantId = aTenant();
    // It takes one beyond what it is trusted with, and so a slice; then it is gone.
    for (let time = 0; time < 3; time += 1)
      await aProcess(clock).take({ tenantId, quota: 'requests', tokens: 3 }, quotas);
    const heir = aProcess(clock);

    const taken = await heir.take({ tenantId, quota: 'requests', tokens: 970 }, quotas);

    expect(taken).toMatchObject({ outcome: 'taken' });
  });

  it('have back for every process what a large request took that was refused then', async () => {
    const clock = makeTestClock();
    const [tenantId, one, other] = [aTenant(), aProcess(clock), aProcess(clock)];
    const few = { ...usualQuotas, messagesPerDay: 100 };
    const bulk = { tenantId, quota: 'messagesPerDay', tokens: 100 } as const;
    await one.take(bulk, few);
    const meanwhile = await other.take(bulk, few);
    await one.giveBack(bulk);
    clock.advance(70_000);

    const corrected = await other.take(bulk, few);
    const more = await one.take({ ...bulk, tokens: 1 }, few);

    expect([meanwhile.outcome, corrected.outcome, more.outcome]).toEqual(['refused', 'taken', 'refused']);
  });

  it('have back what was refused one by one, without a write for each', async () => {
    const clock = makeTestClock();
    const [tenantId, process] = [aTenant(), aProcess(clock)];
    const few = { ...usualQuotas, messagesPerDay: 5 };
    const one = { tenantId, quota: 'messagesPerDay' } as const;
    writes = 0;
    for (let time = 0; time < 20; time += 1) {
      const { outcome } = await process.take(one, few);
      expect(outcome).toBe('taken');
      await process.giveBack(one);
    }
    const whileRefused = writes;

    const outcomes = [];
    for (let time = 0; time < 6; time += 1) outcomes.push((await process.take(one, few)).outcome);

    expect(outcomes).toEqual(['taken', 'taken', 'taken', 'taken', 'taken', 'refused']);
    expect(whileRefused).toBe(1);
  });

  it('let a request pass in time that wants all there ever are, after a few that were not paid for', async () => {
    const clock = makeTestClock();
    const [tenantId, process] = [aTenant(), aProcess(clock)];
    const day = { ...usualQuotas, messagesPerDay: 1_000 };
    const ask = (tokens: number) => process.take({ tenantId, quota: 'messagesPerDay', tokens }, day);
    await ask(1);

    const all = await ask(1_000);
    const next = await ask(1_000);
    clock.advance(((next as { retryAfterSeconds?: number }).retryAfterSeconds ?? 0) * 1_000);
    const again = await ask(1_000);

    expect(all.outcome).toBe('taken');
    expect(next).toMatchObject({ outcome: 'refused', retryAfterSeconds: 86_400 });
    expect(again.outcome).toBe('taken');
  });

  it('tell a large request its own time, and not that of a small one which was refused before', async () => {
    const clock = makeTestClock();
    const [tenantId, process] = [aTenant(), aProcess(clock)];
    const day = { ...usualQuotas, messagesPerDay: 24 };
    const ask = (tokens: number) => process.take({ tenantId, quota: 'messagesPerDay', tokens }, day);
    await ask(24);

    expect([await ask(1), await ask(12), await ask(2)]).toMatchObject([
      { outcome: 'refused', retryAfterSeconds: 3_600 },
      { outcome: 'refused', retryAfterSeconds: 12 * 3_600 },
      { outcome: 'refused', retryAfterSeconds: 2 * 3_600 },
    ]);
  });

  it('keep what was used when their size changes: a raise acts at once, and a smaller one holds', async () => {
    const clock = makeTestClock();
    const tenantId = aTenant();
    const process = aProcess(clock);
    const ask = (messagesPerDay: number, tokens: number) =>
      process.take({ tenantId, quota: 'messagesPerDay', tokens }, { ...usualQuotas, messagesPerDay });
    await ask(100, 100);
    clock.advance(1_000);

    const outcomes = [await ask(100, 1), await ask(1_000, 900), await ask(1_000, 10), await ask(50, 1)];

    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['refused', 'taken', 'refused', 'refused']);
    expect(outcomes[3]).toMatchObject({ retryAfterSeconds: 1_728 });
  });

  it.each([
    { name: 'three at a time each minute, where half as many may be', most: 8_640, burst: 3, everyMs: 61_000 },
    { name: 'a large burst each quarter of an hour', most: 8_640, burst: 80, everyMs: 900_000 },
    { name: 'one in five minutes, in a small quota', most: 300, burst: 1, everyMs: 301_000 },
  ])('of a day lose nothing to slices that nobody uses up: $name', async ({ most, burst, everyMs }) => {
    const clock = makeTestClock();
    const tenantId = aTenant();
    const processes = [aProcess(clock), aProcess(clock)];
    const day = { ...usualQuotas, messagesPerDay: most };
    const all = { tenantId, quota: 'messagesPerDay', tokens: most - 2 * burst } as const;
    await aProcess(clock).take(all, day);

    const outcomes: string[] = [];
    for (let atMs = 0; atMs < 86_400_000; atMs += everyMs) {
      for (let time = 0; time < burst; time += 1) {
        const taken = await (processes[time % 2] as RateLimiter).take({ tenantId, quota: 'messagesPerDay' }, day);
        outcomes.push(taken.outcome);
      }
      clock.advance(everyMs);
    }

    const passed = outcomes.filter((outcome) => outcome === 'taken').length;
    expect(passed).toBeGreaterThanOrEqual(0.95 * outcomes.length);
  });
});
