import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { EventDraft, TenantEvent } from '../../../shared/event/event.ts';
import type { EventLogDependencies } from '../../../shared/event/eventLog.ts';
import { readEvents } from '../../../shared/event/readEvents.ts';
import { recordOnce } from '../../../shared/event/recordOnce.ts';
import { makeId, type ConnectionId, type TenantId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { FakeDynamoDb } from '../../simulation/aws/fakeDynamoDb.ts';
import { makeTestClock, type TestClock } from './testClock.ts';

const TENANT: TenantId = makeId('tnt', 0, systemRandom);
const FACTS_PER_WRITER = 3;

/** A run of a writer ends at this request of its, before or after the request took effect; or never. */
interface Crash {
  readonly atRequest: number;
  readonly afterEffect: boolean;
}
const aCrash = fc.record({ atRequest: fc.integer({ min: 1, max: 12 }), afterEffect: fc.boolean() });
/** One writer: the crashes of its first runs; the last run has none. */
const aWriter = fc.array(aCrash, { maxLength: 3 });
const aWorld = fc.record({
  writers: fc.array(aWriter, { minLength: 1, maxLength: 4 }),
  readers: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 3 }),
  jumpsMs: fc.array(fc.constantFrom(1_000, 20_000, 35_000, 61_000, 300_000), { maxLength: 8 }),
});

function aDraft(connectionId: ConnectionId, place: number): EventDraft {
  const data = { status: 'online', code: 'open', sentence: String(place), userAction: 'none', since: '' } as const;
  const occurredAt = '2026-08-01T12:00:00.000Z';
  const ids = { tenantId: TENANT, connectionId, correlationId: `cor-${place}` };
  return { version: 1, type: 'connection.status', ...ids, occurredAt, data };
}

class Died extends Error {}

/** A store as a client; `around` decides when a request takes effect and whether its answer arrives. */
function asClient(store: FakeDynamoDb, around: (effect: () => unknown) => Promise<unknown>): DynamoDBDocumentClient {
  const send = (command: unknown): Promise<unknown> => around(() => store.apply(command));
  return { send } as unknown as DynamoDBDocumentClient;
}

/** Runs a writer's work until a run of it completes; each crash is followed by a redelivery of the same batch. */
async function write(
  stores: { readonly store: FakeDynamoDb; readonly clock: TestClock; readonly turn: () => Promise<void> },
  connectionId: ConnectionId,
  crashes: readonly Crash[],
): Promise<void> {
  for (const crash of [...crashes, undefined]) {
    let requests = 0;
    let dead = false;
    const table = asClient(stores.store, async (effect) => {
      if (dead) throw new Died();
      await stores.turn();
      requests++;
      dead = requests === crash?.atRequest;
      if (dead && crash?.afterEffect !== true) throw new Died();
      const answer = effect();
      if (dead) throw new Died();
      return answer;
    });
    const dependencies = { table, stage: 'test', clock: stores.clock, random: systemRandom };
    try {
      for (let place = 1; place <= FACTS_PER_WRITER; place++) {
        const source = { tenantId: TENANT, connectionId, batchId: 'batch', factKeys: [`fact-${place}`] as const };
        const draft = aDraft(connectionId, place);
        await recordOnce(dependencies, source, () => Promise.resolve({ plan: 'stored', draft, message: undefined }));
      }
      return;
    } catch (error) {
      if (!(error instanceof Died)) throw error;
    }
  }
}

async function readOn(
  dependencies: EventLogDependencies,
  seen: TenantEvent[],
  after: string | undefined,
  limit: number,
): Promise<string | undefined> {
  const page = await readEvents(dependencies, TENANT, after, limit);
  seen.push(...page.events);
  return page.next;
}

describe('the event log, whatever writers, crashes and readers do', () => {
  it('never lets a reader skip an event, and keeps the order of each connection', async () => {
    await fc.assert(
      fc.asyncProperty(aWorld, fc.scheduler(), async (world, scheduler) => {
        const [store, clock] = [new FakeDynamoDb(), makeTestClock()];
        const turn = (): Promise<void> => scheduler.schedule(Promise.resolve());
        const connections = world.writers.map((_, index) => `con_${index}` as ConnectionId);
        const logs = world.readers.map((): TenantEvent[] => []);
        const paced = asClient(store, async (effect) => {
          await turn();
          return effect();
        });
        const writing = world.writers.map((crashes, index) =>
          write({ store, clock, turn }, connections[index] as ConnectionId, crashes),
        );
        const reading = world.readers.map(async (limit, index) => {
          let after: string | undefined;
          for (let page = 0; page < 12; page++) {
            after = await readOn({ table: paced, stage: 'test', clock }, logs[index] ?? [], after, limit);
          }
          return after;
        });
        const passing = (async () => {
          for (const jumpMs of world.jumpsMs) {
            await turn();
            clock.advance(jumpMs);
          }
        })();

        const [cursors] = await scheduler.waitFor(
          Promise.all([Promise.all(reading), Promise.all(writing), passing] as const),
        );
        clock.advance(61_000);
        const direct = asClient(store, (effect) => Promise.resolve(effect()));
        for (const [index, cursor] of cursors.entries()) {
          let [after, before]: (string | undefined)[] = [cursor, undefined];
          do {
            before = after;
            after = await readOn({ table: direct, stage: 'test', clock }, logs[index] ?? [], after, 50);
          } while (after !== before);
        }

        const committed = store
          .items('test-core')
          .flatMap((item) => (item['events'] as readonly string[] | undefined) ?? [])
          .map((text) => JSON.parse(text) as TenantEvent);
        expect(committed).toHaveLength(connections.length * FACTS_PER_WRITER);
        for (const log of logs) expect(log).toEqual(committed);
        for (const connectionId of connections) {
          const told = committed.filter((event) => event.connectionId === connectionId);
          expect(told.map((event) => event.correlationId)).toEqual(['cor-1', 'cor-2', 'cor-3']);
        }
      }),
      { numRuns: 300 },
    );
  });
});
