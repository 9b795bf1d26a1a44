import { PutCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it } from 'vitest';
import { beginEras } from '../../../shared/event/eventEras.ts';
import { grow } from '../../../shared/event/eventGrowth.ts';
import type { EventLogDependencies } from '../../../shared/event/eventLog.ts';
import { readEvents } from '../../../shared/event/readEvents.ts';
import { makeId, type TenantId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { tenantKey } from '../../../shared/platform/keys.ts';
import { FakeDynamoDb } from '../../simulation/aws/fakeDynamoDb.ts';
import { aStatusDraft, logEvent } from './loggedEvents.ts';
import { makeTestClock } from './testClock.ts';

const tenantId = makeId('tnt', 0, systemRandom);
const clock = makeTestClock();

function storesOf(store: FakeDynamoDb): EventLogDependencies {
  const send = (command: unknown) => Promise.resolve(store.apply(command));
  return { table: { send } as unknown as DynamoDBDocumentClient, stage: 'test', clock };
}
function aStore(): FakeDynamoDb {
  const store = new FakeDynamoDb();
  store.apply(new PutCommand({ TableName: 'test-core', Item: { ...tenantKey(tenantId), tenantId } }));
  return store;
}
function copyOf(store: FakeDynamoDb): FakeDynamoDb {
  const copy = new FakeDynamoDb();
  for (const Item of store.items('test-core')) copy.apply(new PutCommand({ TableName: 'test-core', Item }));
  return copy;
}
const tell = (stores: EventLogDependencies, name: string, of: TenantId = tenantId) =>
  logEvent(stores, aStatusDraft(of, { connectionId: 'con_1', correlationId: name }));
async function readAll(stores: EventLogDependencies, from?: string) {
  const names: string[] = [];
  let after = from;
  for (;;) {
    const page = await readEvents(stores, tenantId, after, 2);
    names.push(...page.events.map(({ correlationId }) => correlationId));
    after = page.next;
    if (!page.hasMore) return { names, next: after };
  }
}

describe('an era of the event log, after its table was put back', () => {
  it.each([
    { before: 0, lost: 0 },
    { before: 0, lost: 2 },
    { before: 1, lost: 1 },
  ])(
    'gives no id a second time, and loses no reader: grown $before times before the backup, and $lost times after it',
    async ({ before, lost }) => {
      const store = aStore();
      const stores = storesOf(store);
      for (let generation = 0; generation < before; generation += 1) await grow(stores, tenantId, generation);
      const given = [await tell(stores, 'kept')];
      const backup = copyOf(store);
      const early = await readAll(stores);
      for (let generation = before; generation < before + lost; generation += 1) {
        given.push(await tell(stores, `lost ${generation}`));
        await grow(stores, tenantId, generation);
      }
      const between = await readAll(stores);
      given.push(await tell(stores, 'lost'));
      const late = await readAll(stores);

      const restored = storesOf(backup);
      await beginEras(restored);
      given.push(await tell(restored, 'new'), await tell(restored, 'newer'));

      expect(new Set(given).size).toBe(given.length);
      expect(given).toEqual(given.toSorted());
      for (const reader of [early, between, late]) {
        expect((await readAll(restored, reader.next)).names).toEqual(['new', 'newer']);
      }
      expect((await readAll(restored)).names).toEqual(['kept', 'new', 'newer']);
    },
  );

  it('leads a growth that was under way into the new era', async () => {
    const store = aStore();
    const stores = storesOf(store);
    await tell(stores, 'kept');
    let calls = 0;
    const dying = storesOf(store);
    const { table } = dying;
    const send = (command: Parameters<typeof table.send>[0]) => {
      calls += 1;
      if (calls > 3) throw new Error('died');
      return table.send(command);
    };
    await expect(grow({ ...dying, table: { send } as unknown as typeof table }, tenantId, 0)).rejects.toThrow('died');

    const restored = storesOf(copyOf(store));
    await beginEras(restored);
    await tell(restored, 'new');

    expect((await readAll(restored)).names).toEqual(['kept', 'new']);
  });

  it('may begin more than once, and in the log of a tenant without events', async () => {
    const stores = storesOf(aStore());

    expect([await beginEras(stores), await beginEras(stores)]).toEqual([1, 1]);
    await tell(stores, 'first');

    expect((await readAll(stores)).names).toEqual(['first']);
  });
});
