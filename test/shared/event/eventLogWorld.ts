import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as fc from 'fast-check';
import { expect } from 'vitest';
import type { TenantEvent } from '../../../shared/event/event.ts';
import { grow } from '../../../shared/event/eventGrowth.ts';
import type { EventLogDependencies } from '../../../shared/event/eventLog.ts';
import { readEvents } from '../../../shared/event/readEvents.ts';
import { makeId, type ConnectionId, type TenantId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { FakeDynamoDb } from '../../simulation/aws/fakeDynamoDb.ts';
import { writeBatches, type WriterWork } from './pageWriter.ts';
import { makeTestClock, type TestClock } from './testClock.ts';

/** Writers, readers and growth of one tenant's log, in every order, dying at every request. */
const TENANT: TenantId = makeId('tnt', 0, systemRandom);
const PAGES_READ = 12;

/**
 * What goes wrong with a run of somebody at its request of this number: it dies before or after the request took effect;
 * or it is thought dead, another run begins, and it goes on beside that.
 */
interface Mishap {
  readonly atRequest: number;
  readonly kind: 'before' | 'after' | 'beside';
}
const aMishap = fc.record({
  atRequest: fc.integer({ min: 1, max: 20 }),
  kind: fc.constantFrom('before', 'after', 'beside'),
});
const someMishaps = fc.array(aMishap, { maxLength: 3 });
const aWorld = fc.record({
  writers: fc.array(
    fc.record({
      sizes: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }),
      mishaps: someMishaps,
    }),
    { minLength: 1, maxLength: 4 },
  ),
  readers: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 3 }),
  growths: fc.array(someMishaps, { maxLength: 3 }),
  jumpsMs: fc.array(fc.constantFrom(1_000, 6_000, 20_000, 35_000, 61_000, 300_000), { maxLength: 8 }),
});
type World = typeof aWorld extends fc.Arbitrary<infer Value> ? Value : never;

class Died extends Error {}

interface Stage {
  readonly store: FakeDynamoDb;
  readonly clock: TestClock;
  readonly turn: () => Promise<void>;
}

/** A store as a client; `around` decides when a request takes effect and whether its answer arrives. */
function asClient(store: FakeDynamoDb, around: (effect: () => unknown) => Promise<unknown>): DynamoDBDocumentClient {
  const send = (command: unknown): Promise<unknown> => around(() => store.apply(command));
  return { send } as unknown as DynamoDBDocumentClient;
}

/** Runs work until a run of it completes. After each mishap it is begun anew, as a process that knows nothing. */
async function repeat(
  { store, clock, turn }: Stage,
  mishaps: readonly Mishap[],
  work: (dependencies: EventLogDependencies) => Promise<void>,
): Promise<void> {
  const runs: Promise<void>[] = [];
  for (const mishap of [...mishaps, undefined]) {
    let requests = 0;
    let isOver = false;
    let leave: () => void = () => undefined;
    const left = new Promise<void>((resolve) => {
      leave = resolve;
    });
    const table = asClient(store, async (effect) => {
      if (isOver) throw new Died();
      await turn();
      requests += 1;
      const isNow = requests === mishap?.atRequest;
      if (isNow && mishap.kind === 'beside') leave();
      isOver = isNow && mishap.kind !== 'beside';
      if (isOver && mishap?.kind === 'before') throw new Died();
      const answer = effect();
      if (isOver) throw new Died();
      return answer;
    });
    const run = work({ table, stage: 'test', clock }).catch((error: unknown) => {
      if (!(error instanceof Died)) throw error;
    });
    runs.push(run);
    await Promise.race([run, left]);
  }
  await Promise.all(runs);
}

/** Reads on with a reader's cursor until it has read so many pages, or has come to the end. */
async function readOn(
  dependencies: EventLogDependencies,
  seen: TenantEvent[],
  from: string | undefined,
  limit: number,
  pages: number,
): Promise<string | undefined> {
  let after = from;
  for (let page = 0; page < pages; page += 1) {
    const read = await readEvents(dependencies, TENANT, after, limit);
    seen.push(...read.events);
    const isEnd = !read.hasMore && read.next === after;
    after = read.next;
    if (isEnd && pages === Infinity) break;
  }
  return after;
}

function workOf({ writers }: World): readonly WriterWork[] {
  return writers.map(({ sizes }, writer) => ({
    tenantId: TENANT,
    connectionId: `con_${writer}` as ConnectionId,
    batches: sizes.map((size, batch) => Array.from({ length: size }, (_, place) => `${writer}-${batch}-${place}`)),
  }));
}

/** Lets a world run its course, and says what each reader has seen in the end. */
async function play(world: World, scheduler: fc.Scheduler): Promise<readonly (readonly TenantEvent[])[]> {
  const [store, clock] = [new FakeDynamoDb(), makeTestClock()];
  const stage: Stage = { store, clock, turn: () => scheduler.schedule(Promise.resolve()) };
  const logs = world.readers.map((): TenantEvent[] => []);
  const client = (): EventLogDependencies => ({
    table: asClient(store, async (effect) => {
      await stage.turn();
      return effect();
    }),
    stage: 'test',
    clock,
  });
  const writing = workOf(world).map((work, writer) =>
    repeat(stage, world.writers[writer]?.mishaps ?? [], (dependencies) => writeBatches(dependencies, work)),
  );
  const reading = world.readers.map((limit, index) =>
    readOn(client(), logs[index] ?? [], undefined, limit, PAGES_READ),
  );
  const growing = (async () => {
    for (const [generation, mishaps] of world.growths.entries()) {
      await repeat(stage, mishaps, (dependencies) => grow(dependencies, TENANT, generation));
    }
  })();
  const passing = (async () => {
    for (const jumpMs of world.jumpsMs) {
      await stage.turn();
      clock.advance(jumpMs);
    }
  })();

  const [cursors] = await scheduler.waitFor(
    Promise.all([Promise.all(reading), Promise.all(writing), growing, passing] as const),
  );
  clock.advance(61_000);
  const direct = { table: asClient(store, (effect) => Promise.resolve(effect())), stage: 'test', clock };
  for (const [index, cursor] of cursors.entries()) await readOn(direct, logs[index] ?? [], cursor, 50, Infinity);
  return logs;
}

/** Each reader gets every event once, and those of a connection in their order, in which their ids sort too. */
export async function expectEveryReaderGetsAll(runs: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(aWorld, fc.scheduler(), async (world, scheduler) => {
      const logs = await play(world, scheduler);

      for (const log of logs) {
        for (const { connectionId, batches } of workOf(world)) {
          const told = log.filter((event) => event.connectionId === connectionId);
          expect(told.map(({ correlationId }) => correlationId)).toEqual(batches.flat());
          expect(told.map(({ id }) => id)).toEqual(told.map(({ id }) => id).toSorted());
        }
      }
    }),
    { numRuns: runs },
  );
}
