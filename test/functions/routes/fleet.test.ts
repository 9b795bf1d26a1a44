import { DeleteCommand, GetCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { adminRoutes } from '../../../functions/admin/handler.ts';
import { makeOpenApi } from '../../../functions/http/openapi.ts';
import { leaseKey, requestDrain } from '../../../shared/fleet/fleetLease.ts';
import type { LeaseName } from '../../../shared/fleet/fleetTable.ts';
import { noLoad, noOrders, type ShardView, type WorkerLoad } from '../../../shared/fleet/fleetView.ts';
import { makeId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { FleetStore } from '../../../worker/fleet/fleetStore.ts';
import { ApiStack, type Answered } from '../api/apiStack.ts';

const TABLE = 'test-fleet';
const UNKNOWN = 'wrk_01ARZ3NDEKTSV4RRFFQ69G5FAV';

interface WorkerOptions {
  readonly startedAgoMs?: number;
  readonly seenAgoMs?: number;
  readonly state?: 'ALIVE' | 'DRAINING';
  readonly load?: Partial<WorkerLoad>;
}

describe('the fleet, as operators see it', () => {
  let stack: ApiStack;
  let store: FleetStore;
  beforeAll(async () => {
    stack = await ApiStack.start();
    store = new FleetStore(stack.dependencies.table, 'test');
  });
  beforeEach(async () => {
    const { table } = stack.dependencies;
    const { Items = [] } = await table.send(new ScanCommand({ TableName: TABLE, ConsistentRead: true }));
    for (const { pk, sk } of Items) await table.send(new DeleteCommand({ TableName: TABLE, Key: { pk, sk } }));
  });
  afterAll(() => stack.stop());

  const aWorker = async (options: WorkerOptions = {}): Promise<LeaseName> => {
    const { startedAgoMs = 60_000, seenAgoMs = 0, state = 'ALIVE', load = {} } = options;
    const nowMs = Date.now();
    const workerId = makeId('wrk', nowMs - startedAgoMs, systemRandom);
    const lease = { taskId: `task-of-${workerId}`, workerId };
    await store.createLease({ ...lease, deployGeneration: 3, zone: 'eu-central-1a' }, nowMs - startedAgoMs);
    await store.heartbeat(lease, { state, load: { ...noLoad, ...load }, expecting: [] }, nowMs - seenAgoMs);
    return lease;
  };
  const aDeadWorker = async (options?: WorkerOptions): Promise<LeaseName> => {
    const lease = await aWorker(options);
    await store.finishLease(lease, Date.now());
    return lease;
  };
  const rowOf = async (shard: number): Promise<ShardView> => {
    const row = (await store.read(2)).shards[shard];
    if (row === undefined) throw new Error('no such shard');
    return row;
  };
  const own = async (shard: number, lease: LeaseName): Promise<void> => {
    await store.claim(await rowOf(shard), lease);
  };
  const itemOf = async ({ taskId, workerId }: LeaseName): Promise<Record<string, unknown> | undefined> => {
    const Key = leaseKey(taskId, workerId);
    return (await stack.dependencies.table.send(new GetCommand({ TableName: TABLE, Key, ConsistentRead: true }))).Item;
  };
  const look = (): Promise<Answered> => stack.call('GET', '/v1/admin/fleet', { key: stack.operatorKey });
  const workersOf = ({ body }: Answered) => body['workers'] as readonly Record<string, unknown>[];
  const drain = (workerId: string): Promise<Answered> =>
    stack.call('POST', `/v1/admin/workers/${workerId}/drain`, { key: stack.operatorKey });

  it.each([
    ['GET', '/v1/admin/fleet'],
    ['POST', `/v1/admin/workers/${UNKNOWN}/drain`],
  ])('%s %s needs the key of an operator', async (method, path) => {
    const tenant = await stack.tenant();

    const none = await stack.call(method, path);
    const tenants = await stack.call(method, path, { key: tenant.key });

    expect([none.status, none.body['code']]).toEqual([401, 'unauthorized']);
    expect([tenants.status, tenants.body['code']]).toEqual([403, 'forbidden']);
  });

  it('describes its routes, and says that suspended is an estimate', () => {
    const document = JSON.stringify(makeOpenApi(adminRoutes(stack.dependencies)));
    const { paths } = JSON.parse(document) as { readonly paths: Record<string, Record<string, unknown>> };

    expect(paths['/v1/admin/fleet']).toHaveProperty('get');
    expect(paths['/v1/admin/workers/{workerId}/drain']).toHaveProperty('post');
    expect(document).toMatch(/"suspended":\{[^}]*An estimate/);
  });

  describe('view', () => {
    it('of an empty table has all shards without an owner', async () => {
      const answer = await look();

      expect(answer.status).toBe(200);
      expect(answer.body).toEqual({
        mode: 'normal',
        brake: false,
        unowned: 2,
        workers: [],
        shards: [
          { shard: 0, epoch: 0, orphaned: true },
          { shard: 1, epoch: 0, orphaned: true },
        ],
        movesInFlight: [],
      });
    });

    it('shows workers, shards, moves and who leads', async () => {
      const load = { connections: 30, online: 28, waiting: 2, opened: 40, openFailed: 3, suspendedMs: 1_500 };
      const first = await aWorker({ startedAgoMs: 90_000, load: { ...load, full: true, recycle: 'memory' } });
      const second = await aWorker({ state: 'DRAINING' });
      await own(0, first);
      await own(1, second);
      await store.offer(await rowOf(1), first);
      await store.lead(first, undefined);
      await store.nameDeputy(first, second);

      const { body } = await look();

      const stored = await itemOf(first);
      expect(body).toMatchObject({
        mode: 'normal',
        brake: false,
        leader: first.workerId,
        deputy: second.workerId,
        unowned: 0,
        shards: [
          { shard: 0, owner: first.workerId, epoch: 1, orphaned: false },
          { shard: 1, owner: second.workerId, epoch: 1, next: first.workerId, orphaned: false },
        ],
        movesInFlight: [{ shard: 1, from: second.workerId, to: first.workerId }],
      });
      expect((body['workers'] as unknown[])[0]).toEqual({
        id: first.workerId,
        task: first.taskId,
        state: 'ALIVE',
        generation: 3,
        zone: 'eu-central-1a',
        startedAt: new Date(stored?.['startedAtMs'] as number).toISOString(),
        lastHeartbeatAt: new Date(stored?.['seenAtMs'] as number).toISOString(),
        load,
        shards: 1,
        drainRequested: false,
        full: true,
        recycle: 'memory',
        suspended: false,
      });
      expect((body['workers'] as unknown[])[1]).toMatchObject({ id: second.workerId, state: 'DRAINING', shards: 1 });
    });

    it('counts the shards of a dead worker as orphaned, and says how it died', async () => {
      const dead = await aDeadWorker();
      await own(0, dead);
      await own(1, await aWorker());

      const answer = await look();

      expect(answer.body).toMatchObject({ unowned: 1, shards: [{ orphaned: true }, { orphaned: false }] });
      expect(workersOf(answer)[1]).toMatchObject({ id: dead.workerId, state: 'DEAD', proof: 'clean' });
    });

    it('takes who is not dead for suspended 15 s after its last heartbeat', async () => {
      await aWorker({ startedAgoMs: 90_000, seenAgoMs: 10_000 });
      await aWorker({ startedAgoMs: 80_000, seenAgoMs: 16_000 });
      await aWorker({ startedAgoMs: 70_000, seenAgoMs: 16_000, state: 'DRAINING' });
      await aDeadWorker({ startedAgoMs: 60_000, seenAgoMs: 16_000 });

      const answer = await look();

      expect(workersOf(answer).map(({ state, suspended }) => [state, suspended])).toEqual([
        ['ALIVE', false],
        ['ALIVE', true],
        ['DRAINING', true],
        ['DEAD', false],
      ]);
    });

    it.each<readonly [who: string, leader: boolean, deputy: boolean, other: boolean, brake: boolean]>([
      ['the leader', true, false, false, true],
      ['the deputy', false, true, false, true],
      ['neither of them', false, false, true, false],
    ])('shows the brake when %s reports it', async (_who, leader, deputy, other, brake) => {
      const leading = await aWorker({ load: { braking: leader } });
      const second = await aWorker({ load: { braking: deputy } });
      await aWorker({ load: { braking: other } });
      await store.lead(leading, undefined);
      await store.nameDeputy(leading, second);

      const { body } = await look();

      expect(body['brake']).toBe(brake);
    });

    it('forgets the brake of a leader that is dead', async () => {
      const leading = await aDeadWorker({ load: { braking: true } });
      await store.lead(leading, undefined);

      const { body } = await look();

      expect([body['leader'], body['brake']]).toEqual([leading.workerId, false]);
    });

    it('is in outage while a living worker is ordered so', async () => {
      const dead = await aWorker();
      const living = await aWorker();
      for (const lease of [dead, living]) await store.order(lease, { ...noOrders, mode: 'outage' });
      await store.finishLease(dead, Date.now());

      const during = await look();
      await store.order(living, noOrders);
      const after = await look();

      expect([during.body['mode'], after.body['mode']]).toEqual(['outage', 'normal']);
    });

    it('shows the dead of the last hour, newest first, and at most 50 of them', async () => {
      const hourMs = 3_600_000;
      const living = await aWorker({ startedAgoMs: 2 * hourMs });
      await aDeadWorker({ startedAgoMs: 2 * hourMs, seenAgoMs: hourMs + 60_000 });
      const dead: LeaseName[] = [];
      for (let minute = 51; minute > 0; minute -= 1) {
        dead.push(await aDeadWorker({ startedAgoMs: hourMs, seenAgoMs: minute * 60_000 }));
      }

      const few = await look();

      const newestFirst = dead.map(({ workerId }) => workerId).reverse();
      expect(workersOf(few).map(({ id }) => id)).toEqual([living.workerId, ...newestFirst.slice(0, 50)]);
    });

    it('leaves out who died more than an hour ago', async () => {
      await aDeadWorker({ startedAgoMs: 7_200_000, seenAgoMs: 3_660_000 });
      const recent = await aDeadWorker({ startedAgoMs: 7_200_000, seenAgoMs: 3_540_000 });

      const answer = await look();

      expect(workersOf(answer).map(({ id }) => id)).toEqual([recent.workerId]);
    });
  });

  describe('drain', () => {
    it('leaves the request in the lease and touches nothing else of it', async () => {
      const worker = await aWorker();
      await aWorker();
      await own(0, worker);
      const before = await itemOf(worker);

      const answer = await drain(worker.workerId);

      expect(answer.status).toBe(202);
      expect(answer.body).toMatchObject({ id: worker.workerId, state: 'ALIVE', shards: 1, drainRequested: true });
      expect(await itemOf(worker)).toEqual({ ...before, drainRequested: true });
      expect(workersOf(await look())).toContainEqual(answer.body);
    });

    it('is what the next heartbeat brings to the worker', async () => {
      const worker = await aWorker();
      await aWorker();
      await drain(worker.workerId);

      const lease = await store.heartbeat(worker, { state: 'ALIVE', load: noLoad, expecting: [] }, Date.now());

      expect(lease).toMatchObject({ drainRequested: true });
    });

    it.each([
      ['unknown', UNKNOWN],
      ['malformed', 'task-1'],
      ['of another kind', 'con_01ARZ3NDEKTSV4RRFFQ69G5FAV'],
    ])('of an id that is %s finds no worker', async (_what, id) => {
      await aWorker();

      const answer = await drain(id);

      expect([answer.status, answer.body['code']]).toEqual([404, 'worker_not_found']);
    });

    it.each<readonly [what: string, make: () => Promise<LeaseName>, code: string]>([
      ['a worker that drains', () => aWorker({ state: 'DRAINING' }), 'worker_already_draining'],
      ['a dead worker', () => aDeadWorker(), 'worker_dead'],
    ])('of %s is refused', async (_what, make, code) => {
      const worker = await make();
      await aWorker();
      const before = await itemOf(worker);

      const answer = await drain(worker.workerId);

      expect([answer.status, answer.body['code']]).toEqual([409, code]);
      expect(await itemOf(worker)).toEqual(before);
    });

    it('of a worker that was asked already is refused', async () => {
      const worker = await aWorker();
      await aWorker();
      await drain(worker.workerId);

      const again = await drain(worker.workerId);

      expect([again.status, again.body['code']]).toEqual([409, 'worker_already_draining']);
    });

    it('of a worker that was asked and then died says that it is dead', async () => {
      const worker = await aWorker();
      await aWorker();
      await drain(worker.workerId);
      await store.finishLease(worker, Date.now());

      const again = await drain(worker.workerId);

      expect([again.status, again.body['code']]).toEqual([409, 'worker_dead']);
    });

    it.each<readonly [others: string, make: () => Promise<unknown>]>([
      ['is alone', () => Promise.resolve()],
      ['has only one beside it that drains', () => aWorker({ state: 'DRAINING' })],
      ['has only a dead one beside it', () => aDeadWorker()],
    ])('of a worker that %s is refused', async (_others, make) => {
      const worker = await aWorker();
      await make();

      const answer = await drain(worker.workerId);

      expect([answer.status, answer.body['code']]).toEqual([409, 'last_worker']);
      expect(answer.body['detail']).toContain('Start another worker first');
      expect(await itemOf(worker)).not.toHaveProperty('drainRequested');
    });

    it('of one worker after the other stops before the last one', async () => {
      const workers = [await aWorker(), await aWorker(), await aWorker()];

      const answers: unknown[] = [];
      for (const { workerId } of workers) answers.push((await drain(workerId)).body['code'] ?? 'asked');

      expect(answers).toEqual(['asked', 'asked', 'last_worker']);
    });

    it.each<readonly [what: string, make: () => Promise<LeaseName>, outcome: string]>([
      ['lives', () => aWorker(), 'requested'],
      ['has begun to drain', () => aWorker({ state: 'DRAINING' }), 'draining'],
      ['has died', () => aDeadWorker(), 'dead'],
      ['is gone', () => Promise.resolve({ taskId: 'task-1', workerId: makeId('wrk', 0, systemRandom) }), 'missing'],
    ])('is written under the condition that the worker lives: one that %s', async (_what, make, outcome) => {
      const worker = await make();
      const before = await itemOf(worker);

      const written = await requestDrain(stack.dependencies, worker);

      expect(written).toBe(outcome);
      expect(await itemOf(worker)).toEqual(outcome === 'requested' ? { ...before, drainRequested: true } : before);
    });
  });
});
