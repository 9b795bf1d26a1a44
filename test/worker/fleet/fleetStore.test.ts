import { ConditionalCheckFailedException, ProvisionedThroughputExceededException } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  DeleteCommand,
  GetCommand,
  PutCommand,
  UpdateCommand,
  type DynamoDBDocumentClient,
} from '@aws-sdk/lib-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import * as fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeId, type WorkerId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { makeHeartbeatClient } from '../../../shared/platform/aws.ts';
import { leaseKey, markLeaseDead, markTaskDead } from '../../../shared/fleet/fleetLease.ts';
import type { LeaseName } from '../../../shared/fleet/fleetTable.ts';
import { noLoad, noOrders, orphansOf, type Orders, type ShardView } from '../../../shared/fleet/fleetView.ts';
import { FleetStore, type Heartbeat } from '../../../worker/fleet/fleetStore.ts';
import { createTables, startDynamoDb } from '../../emulators/dynamodb.ts';
import { aStoreConfig } from '../../emulators/storeConfig.ts';

const NOW_MS = Date.UTC(2026, 7, 1);
const beat = (state: Heartbeat['state']): Heartbeat => ({ state, load: noLoad, expecting: [] });
const claiming = (...claim: readonly number[]): Orders => ({ ...noOrders, claim });

describe('fleet store', () => {
  let dynamoDb: Awaited<ReturnType<typeof startDynamoDb>>;
  let table: DynamoDBDocumentClient;
  let store: FleetStore;
  let stage: string;
  let stages = 0;
  beforeAll(async () => {
    dynamoDb = await startDynamoDb();
    table = makeHeartbeatClient(aStoreConfig({ dynamoDb }), 5_000);
  });
  beforeEach(async () => {
    stage = `fleet${(stages += 1)}`;
    await createTables(dynamoDb.endpoint, stage);
    store = new FleetStore(table, stage);
  });
  afterAll(async () => {
    table.destroy();
    await dynamoDb.stop();
  });

  const aName = (taskId = 'task-1'): LeaseName => ({ taskId, workerId: makeId('wrk', NOW_MS, systemRandom) });
  const aLease = async (taskId?: string): Promise<LeaseName> => {
    const name = aName(taskId);
    await store.createLease({ ...name, deployGeneration: 3, zone: 'a' }, NOW_MS);
    return name;
  };
  const itemOf = async ({ taskId, workerId }: LeaseName): Promise<Record<string, unknown> | undefined> => {
    const Key = leaseKey(taskId, workerId);
    return (await table.send(new GetCommand({ TableName: `${stage}-fleet`, Key, ConsistentRead: true }))).Item;
  };
  const shard = async (number = 0): Promise<ShardView> => {
    const found = (await store.read(number + 1)).shards[number];
    if (found === undefined) throw new Error('no such shard');
    return found;
  };
  const die = (lease: LeaseName): Promise<'dead' | 'refused'> => store.finishLease(lease, NOW_MS);

  describe('lease', () => {
    it('is made alive with its first heartbeat and without an expiry', async () => {
      const lease = await aLease();

      expect(await itemOf(lease)).toEqual({
        ...leaseKey(lease.taskId, lease.workerId),
        ...lease,
        state: 'ALIVE',
        heartbeat: 1,
        generation: 3,
        zone: 'a',
        startedAtMs: NOW_MS,
        seenAtMs: NOW_MS,
        orders: noOrders,
      });
    });

    it('is not made twice: the second try of a write whose answer was lost finds it', async () => {
      const lease = await aLease();
      await store.heartbeat(lease, beat('ALIVE'), NOW_MS);

      const second = await store.createLease({ ...lease, deployGeneration: 0, zone: undefined }, NOW_MS);

      expect(second).toBe('exists');
      expect(await itemOf(lease)).toMatchObject({ heartbeat: 2 });
    });

    it('brings with each heartbeat what the leader left in it', async () => {
      const lease = await aLease();
      await store.order(lease, claiming(3, 1));

      const renewed = await store.heartbeat(lease, beat('DRAINING'), NOW_MS);

      expect(renewed).toMatchObject({ ...lease, state: 'DRAINING', heartbeat: 2, orders: claiming(3, 1) });
    });

    it('fences a worker whose lease is dead, and one whose lease is missing, and makes no lease of a heartbeat', async () => {
      const dead = await aLease();
      const missing = aName();
      await die(dead);

      const outcomes = [
        await store.heartbeat(dead, beat('ALIVE'), NOW_MS),
        await store.heartbeat(missing, beat('DRAINING'), NOW_MS),
      ];

      expect(outcomes).toEqual(['fenced', 'fenced']);
      expect(await itemOf(dead)).toMatchObject({ state: 'DEAD', heartbeat: 1 });
      expect(await itemOf(missing)).toBeUndefined();
    });

    it('gets its expiry in the write that makes it dead', async () => {
      const lease = await aLease();
      await store.heartbeat(lease, beat('DRAINING'), NOW_MS);
      const before = await itemOf(lease);

      const outcome = await die(lease);

      expect(outcome).toBe('dead');
      expect(before).not.toHaveProperty('ttl');
      expect(await itemOf(lease)).toMatchObject({ state: 'DEAD', proof: 'clean', ttl: NOW_MS / 1_000 + 86_400 });
    });

    it('is dead for ever: no second death, no assignment, no heartbeat', async () => {
      const lease = await aLease();
      await die(lease);

      const outcomes = [
        await die(lease),
        await store.order(lease, claiming(1)),
        await store.heartbeat(lease, beat('ALIVE'), NOW_MS),
      ];

      expect(outcomes).toEqual(['refused', 'refused', 'fenced']);
      expect(await itemOf(lease)).toMatchObject({ state: 'DEAD', orders: { claim: [] } });
    });

    it('survives a sentence over a heartbeat number that has moved on, and not one over its last', async () => {
      const lease = await aLease();
      await store.heartbeat(lease, beat('ALIVE'), NOW_MS);

      const outcomes = [
        await store.declareDead({ ...lease, observedHeartbeat: 1 }, NOW_MS),
        await store.declareDead({ ...lease, observedHeartbeat: 2 }, NOW_MS),
      ];

      expect(outcomes).toEqual(['refused', 'dead']);
      expect(await itemOf(lease)).toMatchObject({ state: 'DEAD', proof: 'observed' });
    });

    it('says with each heartbeat what its worker carries and watches', async () => {
      const lease = await aLease();
      const load = { ...noLoad, connections: 7, online: 6 };

      await store.heartbeat(lease, { state: 'ALIVE', load, expecting: [2] }, NOW_MS + 5_000);

      const seen = (await store.read(0)).leases[0];
      expect(seen).toMatchObject({ load, expecting: [2], deployGeneration: 3, zone: 'a', seenAtMs: NOW_MS + 5_000 });
    });

    it('takes orders while it drains: what it has must be given to somebody', async () => {
      const lease = await aLease();
      await store.heartbeat(lease, beat('DRAINING'), NOW_MS);

      expect(await store.order(lease, { ...noOrders, give: [1] })).toBe('written');
    });

    it('makes no lease of a death or an assignment', async () => {
      const missing = aName();

      const outcomes = [await die(missing), await store.order(missing, claiming(1))];

      expect(outcomes).toEqual(['refused', 'refused']);
      expect(await itemOf(missing)).toBeUndefined();
    });

    it('dies with its task, with all others of the task and no other', async () => {
      const [first, second, other] = [await aLease(), await aLease(), await aLease('task-2')];
      await die(first);

      const count = await markTaskDead({ table, stage }, 'task-1', NOW_MS);

      expect(count).toBe(1);
      expect(await itemOf(second)).toMatchObject({ state: 'DEAD', proof: 'stopped' });
      expect(await itemOf(other)).toMatchObject({ state: 'ALIVE' });
    });
  });

  describe('shard', () => {
    it('gets its first owner with epoch 1', async () => {
      const lease = await aLease();

      const epoch = await store.claim(await shard(), lease);

      expect(epoch).toBe(1);
      expect(await shard()).toEqual({ shard: 0, owner: lease.workerId, epoch: 1, next: undefined });
    });

    it('is claimed by exactly one of many that saw it free', async () => {
      const seen = await shard();
      const leases = await Promise.all(Array.from({ length: 10 }, () => aLease()));

      const outcomes = await Promise.all(leases.map((lease) => store.claim(seen, lease)));

      const winners = leases.filter((_, index) => outcomes[index] === 1);
      expect(winners.map(({ workerId }) => workerId)).toEqual([(await shard()).owner]);
      expect(outcomes.filter((outcome) => outcome === 'lost')).toHaveLength(9);
    });

    it('is refused to who saw an owner or an epoch that is past', async () => {
      const [first, second, third] = [await aLease(), await aLease(), await aLease()];
      const seenFree = await shard();
      await store.claim(seenFree, first);
      const seenFirst = await shard();
      await store.claim(seenFirst, second);

      const outcomes = [await store.claim(seenFree, third), await store.claim(seenFirst, third)];

      expect(outcomes).toEqual(['lost', 'lost']);
      expect(await shard()).toEqual({ shard: 0, owner: second.workerId, epoch: 2, next: undefined });
    });

    it('is released by its owner under its epoch alone, and keeps counting', async () => {
      const [owner, other] = [await aLease(), await aLease()];
      await store.claim(await shard(), owner);

      const outcomes = [
        await store.release(0, other.workerId, 1),
        await store.release(0, owner.workerId, 2),
        await store.release(0, owner.workerId, 1),
        await store.release(0, owner.workerId, 1),
      ];
      const released = await shard();
      const next = await store.claim(released, other);

      expect(outcomes).toEqual(['refused', 'refused', 'written', 'refused']);
      expect(released).toEqual({ shard: 0, owner: undefined, epoch: 2, next: undefined });
      expect(next).toBe(3);
    });

    const given = async (): Promise<{
      readonly owner: LeaseName;
      readonly target: LeaseName;
      readonly row: ShardView;
    }> => {
      const [owner, target] = [await aLease(), await aLease('task-2')];
      await store.claim(await shard(), owner);
      await store.offer(await shard(), target);
      return { owner, target, row: await shard() };
    };

    it('is offered to one at a time, and only while its owner is the one that was seen', async () => {
      const { owner, target, row } = await given();
      const other = await aLease('task-3');

      const outcomes = [
        await store.offer(row, other),
        await store.offer({ ...row, epoch: 2 }, other),
        await store.offer({ ...row, owner: target.workerId }, other),
      ];

      expect(row).toEqual({ shard: 0, owner: owner.workerId, epoch: 1, next: target.workerId });
      expect(outcomes).toEqual(['refused', 'refused', 'refused']);
    });

    it('is given by its owner to the one that is named, once, with the next epoch', async () => {
      const { target, row } = await given();
      const other = await aLease('task-3');

      const outcomes = [
        await store.give(row, other),
        await store.give({ ...row, epoch: 2 }, target),
        await store.give({ ...row, owner: other.workerId }, target),
        await store.give(row, target),
        await store.give(row, target),
      ];

      expect(outcomes).toEqual(['refused', 'refused', 'refused', 'written', 'refused']);
      expect(await shard()).toEqual({ shard: 0, owner: target.workerId, epoch: 2, next: undefined });
    });

    it('is not given any more when the offer was withdrawn, and not withdrawn once it was given', async () => {
      const { target, row } = await given();

      const withdrawn = [await store.withdraw(row), await store.give(row, target)];
      await store.offer(await shard(), target);
      const again = [await store.give(row, target), await store.withdraw(row)];

      expect(withdrawn).toEqual(['written', 'refused']);
      expect(again).toEqual(['written', 'refused']);
    });

    it('forgets to whom it was promised when it is claimed or released', async () => {
      const { owner, row } = await given();
      await die(owner);
      const heir = await aLease('task-3');

      await store.claim(row, heir);

      expect(await shard()).toEqual({ shard: 0, owner: heir.workerId, epoch: 2, next: undefined });
    });

    it('shows itself and the leases that it names in one look', async () => {
      const { owner, target } = await given();

      const { shards, leases } = await store.readShards([0, 7]);

      expect(shards.map(({ epoch }) => epoch)).toEqual([1, 0]);
      expect(leases.map(({ workerId }) => workerId).sort()).toEqual([owner.workerId, target.workerId].sort());
    });

    it('never has the same epoch twice, and its owner changes only with a higher one', async () => {
      const leases = await Promise.all(Array.from({ length: 3 }, () => aLease()));
      const step = fc.record({
        kind: fc.constantFrom('claim' as const, 'release' as const, 'look' as const),
        who: fc.nat({ max: 2 }),
      });
      let runs = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
          const number = (runs += 1);
          const seen = await Promise.all(leases.map(() => shard(number)));
          const epochs = [0, 0, 0];
          const granted: number[] = [];
          for (const { kind, who } of steps) {
            const [lease, view] = [leases[who], seen[who]];
            if (lease === undefined || view === undefined) continue;
            if (kind === 'look') seen[who] = await shard(number);
            if (kind === 'claim') {
              const epoch = await store.claim(view, lease);
              if (epoch !== 'lost') granted.push((epochs[who] = epoch));
            }
            if (kind === 'release') await store.release(number, lease.workerId, epochs[who] ?? 0);
          }

          expect(granted).toEqual([...new Set(granted)].sort((a, b) => a - b));
        }),
        { numRuns: 25 },
      );
    });
  });

  describe('leader', () => {
    it('is exactly one of many that saw none', async () => {
      const leases = await Promise.all(Array.from({ length: 5 }, () => aLease()));

      const outcomes = await Promise.all(leases.map((lease) => store.lead(lease, undefined)));

      expect(outcomes.filter((outcome) => outcome === 'written')).toHaveLength(1);
    });

    it('follows only on the leader that was seen', async () => {
      const [first, second, third] = [await aLease(), await aLease(), await aLease()];
      await store.lead(first, undefined);
      await store.lead(second, first.workerId);

      const outcomes = [await store.lead(third, undefined), await store.lead(third, first.workerId)];

      expect(outcomes).toEqual(['refused', 'refused']);
      expect((await store.read(0)).leadership.leader).toBe(second.workerId);
    });
  });

  describe('leadership', () => {
    it('takes a deputy from the leader alone, and shows the leases of both', async () => {
      const [leader, deputy, other] = [await aLease(), await aLease(), await aLease()];
      await store.lead(leader, undefined);

      const outcomes = [await store.nameDeputy(leader, deputy), await store.nameDeputy(other, undefined)];
      const seen = await store.readLeadership();

      expect(outcomes).toEqual(['written', 'refused']);
      expect(seen.leadership).toEqual({ leader: leader.workerId, deputy: deputy.workerId });
      expect(seen.leases.map(({ workerId }) => workerId).sort()).toEqual([leader.workerId, deputy.workerId].sort());
    });

    it('has no deputy after a change of leader, until the new one names it', async () => {
      const [first, second] = [await aLease(), await aLease()];
      await store.lead(first, undefined);
      await store.nameDeputy(first, second);

      await store.lead(second, first.workerId);

      expect((await store.readLeadership()).leadership).toEqual({
        leader: second.workerId,
        deputy: undefined,
      });
    });
  });

  describe('read', () => {
    it('knows shards that have no row, and leaves those out that are not configured', async () => {
      const lease = await aLease();
      await store.claim({ shard: 5, owner: undefined, epoch: 0, next: undefined }, lease);

      const view = await store.read(2);

      expect(view.shards).toEqual([
        { shard: 0, owner: undefined, epoch: 0, next: undefined },
        { shard: 1, owner: undefined, epoch: 0, next: undefined },
      ]);
    });

    it('counts a shard whose owner has no lease as orphaned', async () => {
      const lease = await aLease();
      await store.claim(await shard(), lease);
      await table.send(new DeleteCommand({ TableName: `${stage}-fleet`, Key: leaseKey(lease.taskId, lease.workerId) }));

      expect(orphansOf(await store.read(1))).toEqual([{ shard: 0, owner: lease.workerId, epoch: 1, next: undefined }]);
    });

    it('finds a lease that the scan had passed before it was made', async () => {
      const [owner, leader] = [aName(), aName('task-2')];
      const scanned = mockClient(table);
      const row = (lease: LeaseName) => ({ ...leaseKey(lease.taskId, lease.workerId), ...lease, state: 'ALIVE' });
      scanned.onAnyCommand().resolves({
        Items: [
          { pk: 'SHARD#0000', sk: 'OWNER', owner: owner.workerId, ownerTask: owner.taskId, epoch: 1 },
          { pk: 'LEADER', sk: 'LEADER', leader: leader.workerId, leaderTask: leader.taskId },
        ],
      });
      const Keys = [owner, leader].map(({ taskId, workerId }) => leaseKey(taskId, workerId));
      scanned
        .on(BatchGetCommand, { RequestItems: { [`${stage}-fleet`]: { Keys, ConsistentRead: true } } })
        .resolves({ Responses: { [`${stage}-fleet`]: [row(owner), row(leader)] } });

      const view = await store.read(1);
      scanned.restore();

      expect(orphansOf(view)).toEqual([]);
      expect(view.leases.map(({ workerId }) => workerId)).toEqual([owner.workerId, leader.workerId]);
    });
  });

  describe('rare answers', () => {
    const throttled = new ProvisionedThroughputExceededException({ message: 'slow down', $metadata: {} });
    const refused = new ConditionalCheckFailedException({ message: 'no', $metadata: {} });
    const timeout = Object.assign(new Error('socket timed out'), { name: 'TimeoutError' });
    const seen: ShardView = { shard: 0, owner: undefined, epoch: 0, next: undefined };

    it.each([
      { what: 'throttling', problem: throttled },
      { what: 'a timeout', problem: timeout },
    ])('throws on $what: not knowing is neither yes nor no', async ({ problem }) => {
      const lease = aName();
      const failing = mockClient(table);
      failing.onAnyCommand().rejects(problem);

      const calls = await Promise.allSettled([
        store.createLease({ ...lease, deployGeneration: 0, zone: undefined }, NOW_MS),
        store.heartbeat(lease, beat('ALIVE'), NOW_MS),
        store.claim(seen, lease),
        store.release(0, lease.workerId, 1),
        store.lead(lease, undefined),
        store.order(lease, claiming(1)),
        store.declareDead({ ...lease, observedHeartbeat: 1 }, NOW_MS),
        store.finishLease(lease, NOW_MS),
        store.read(1),
        markTaskDead({ table, stage }, 'task-1', NOW_MS),
      ]);
      failing.restore();

      expect(calls.map((call) => (call.status === 'rejected' ? call.reason : call.value))).toEqual(
        calls.map(() => problem),
      );
    });

    it('takes only a failed condition as an outcome', async () => {
      const lease = aName();
      const failing = mockClient(table);
      failing.onAnyCommand().rejects(refused);

      const outcomes = await Promise.all([
        store.createLease({ ...lease, deployGeneration: 0, zone: undefined }, NOW_MS),
        store.heartbeat(lease, beat('ALIVE'), NOW_MS),
        store.claim(seen, lease),
        store.release(0, lease.workerId, 1),
        store.lead(lease, undefined),
        store.order(lease, claiming(1)),
        markLeaseDead({ table, stage }, lease, { proof: 'stopped', nowMs: NOW_MS }),
      ]);
      failing.restore();

      expect(outcomes).toEqual(['exists', 'fenced', 'lost', 'refused', 'refused', 'refused', 'refused']);
    });

    it('never asks for "not equal", which holds where the attribute is missing', async () => {
      const lease = aName();
      const recording = mockClient(table);
      recording.onAnyCommand().resolves({});
      const claimed: ShardView = { shard: 0, owner: 'wrk_2' as WorkerId, epoch: 4, next: undefined };

      await Promise.all([
        store.createLease({ ...lease, deployGeneration: 0, zone: undefined }, NOW_MS),
        store.heartbeat(lease, beat('ALIVE'), NOW_MS),
        store.claim(seen, lease),
        store.claim(claimed, lease),
        store.release(0, lease.workerId, 1),
        store.lead(lease, undefined),
        store.lead(lease, 'wrk_2' as WorkerId),
        store.nameDeputy(lease, lease),
        store.offer(claimed, lease),
        store.withdraw({ ...claimed, next: lease.workerId }),
        store.give(claimed, lease),
        store.order(lease, claiming(1)),
        store.declareDead({ ...lease, observedHeartbeat: 1 }, NOW_MS),
        store.finishLease(lease, NOW_MS),
      ]);
      const writes = [...recording.commandCalls(PutCommand), ...recording.commandCalls(UpdateCommand)];
      const conditions = writes.map(({ args: [command] }) => command.input.ConditionExpression ?? '');
      recording.restore();

      expect(conditions).toHaveLength(14);
      expect(conditions.filter((condition) => condition === '' || /<>|\bNOT\b/.test(condition))).toEqual([]);
    });
  });
});
