import type { SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { adminRoutes } from '../../../functions/admin/handler.ts';
import { makeOpenApi } from '../../../functions/http/openapi.ts';
import { keepMemory, noWatchdogMemory, readMemory } from '../../../functions/watchdog/watchdogMemory.ts';
import { markLeaseDead, requestDrain, requestHandOffs } from '../../../shared/fleet/fleetLease.ts';
import { commandGroup } from '../../../shared/message/command.ts';
import { makeQueueClient } from '../../../shared/platform/aws.ts';
import { aStoreConfig } from '../../emulators/storeConfig.ts';
import { until } from '../../whatsapp/until.ts';
import { aConnectionId, aFrozenConnection } from './builders.ts';
import { WatchdogStack } from './watchdogStack.ts';

describe('the watchdog', () => {
  let stack: WatchdogStack;
  beforeAll(async () => {
    stack = await WatchdogStack.start();
  });
  beforeEach(() => stack.clear());
  afterAll(() => stack.stop());

  it("sends a restart into the bad connection's control group", async () => {
    const worker = await stack.aWorker(0, 1);
    await stack.tell(worker, [aFrozenConnection(7, 1)]);

    await stack.handler()();

    const commands = await stack.api.takeCommands();
    expect(commands).toMatchObject([
      { version: 1, kind: 'control', control: 'restart', connectionId: aConnectionId(7), tenantId: 'tnt_one' },
    ]);
    expect(commands.map(commandGroup)).toEqual([`${aConnectionId(7)}#control`]);
    expect(await stack.steps()).toMatchObject([{ rung: 'restart', attempt: 1, outcome: 'done', shard: 1 }]);
  });

  it('leaves the request for a hand-off on the lease, from which it goes when the shard has gone', async () => {
    const [worker, other] = [await stack.aWorker(0), await stack.aWorker(1)];
    const minute = async (owner = worker): Promise<void> => {
      stack.pass();
      await stack.beat(worker, other);
      await stack.tell(worker, owner === worker ? [aFrozenConnection(7, 0)] : []);
      await stack.tell(other);
      await stack.handler()();
    };
    for (let count = 0; count < 3; count += 1) await minute();
    const requested = (await stack.leaseOf(worker)).handOffs;
    const [row] = (await stack.store.read(2)).shards;
    if (row !== undefined) await stack.store.claim(row, other);

    await minute(other);

    expect(requested).toEqual([{ shard: 0, epoch: 1 }]);
    expect((await stack.leaseOf(worker)).handOffs).toEqual([]);
    expect((await stack.steps()).map(({ rung, outcome }) => [rung, outcome])).toEqual([
      ['restart', 'done'],
      ['restart', 'done'],
      ['hand_off', 'done'],
    ]);
  });

  it('asks a mute worker to drain, and then has its task stopped', async () => {
    const [mute, other] = [await stack.aWorker(0), await stack.aWorker(1)];
    await stack.tell(mute);
    const drains: boolean[] = [];
    for (let count = 0; count < 6; count += 1) {
      stack.pass();
      await stack.beat(mute, other);
      await stack.tell(other);
      await stack.handler()();
      drains.push((await stack.leaseOf(mute)).drainRequested);
    }

    expect(drains).toEqual([false, false, true, true, true, true]);
    expect(stack.stopped).toEqual([mute.taskId]);
    expect((await stack.steps()).map(({ rung, reason, outcome }) => [rung, reason, outcome])).toEqual([
      ['drain', 'mute', 'done'],
      ['stop_task', 'mute', 'done'],
    ]);
    expect(stack.metrics.totalOf('WatchdogSteps', { rung: 'stop_task' })).toBe(1);
  });

  it('declares a worker dead that shows no heartbeat for the time of a death within the run, and stops its task', async () => {
    const [silent, other] = [await stack.aWorker(0), await stack.aWorker(1)];
    await stack.handler()();
    stack.pass();
    await stack.beat(other);
    const startedMs = performance.now();

    await stack.handler()();

    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(200);
    expect(await stack.leaseOf(silent)).toMatchObject({ state: 'DEAD', proof: 'observed' });
    expect((await stack.leaseOf(other)).state).toBe('ALIVE');
    expect(stack.stopped).toEqual([silent.taskId]);
    expect(await stack.steps()).toMatchObject([{ rung: 'confirm_death', reason: 'silent', outcome: 'dead' }]);
  });

  it('lets a worker live that shows a heartbeat while it waits', async () => {
    const [slow, other] = [await stack.aWorker(0), await stack.aWorker(1)];
    await stack.handler()();
    stack.pass();
    await stack.beat(other);

    const running = stack.handler()();
    await until(
      'the step being kept',
      () => stack.steps(),
      (steps) => steps.length === 1,
    );
    await stack.beat(slow);
    await running;

    expect((await stack.leaseOf(slow)).state).toBe('ALIVE');
    expect(stack.stopped).toEqual([]);
    expect(await stack.steps()).toMatchObject([{ rung: 'confirm_death', outcome: 'alive' }]);
  });

  it('says that the lease was dead already when another was quicker', async () => {
    const [silent, other] = [await stack.aWorker(0), await stack.aWorker(1)];
    await stack.handler()();
    stack.pass();
    await stack.beat(other);

    const running = stack.handler()();
    await until(
      'the step being kept',
      () => stack.steps(),
      (steps) => steps.length === 1,
    );
    await markLeaseDead(stack.api.dependencies, silent, { proof: 'stopped', nowMs: Date.now() });
    await running;

    expect(await stack.leaseOf(silent)).toMatchObject({ state: 'DEAD', proof: 'stopped' });
    expect(await stack.steps()).toMatchObject([{ rung: 'confirm_death', outcome: 'refused' }]);
  });

  it('acts once when two runs overlap', async () => {
    const worker = await stack.aWorker(0);
    await stack.tell(worker, [aFrozenConnection(7, 0)]);

    await Promise.all(Array.from({ length: 5 }, () => stack.handler()()));

    expect(await stack.api.takeCommands()).toHaveLength(1);
    expect(await stack.steps()).toHaveLength(1);
  });

  it('keeps its memory only over the one that it has read', async () => {
    const { dependencies } = stack.api;
    const first = await keepMemory(dependencies, noWatchdogMemory, 0);

    const again = await keepMemory(dependencies, noWatchdogMemory, 0);
    const second = await keepMemory(dependencies, { ...noWatchdogMemory, ranAtMs: 5 }, 1);

    expect([first, again, second]).toEqual([1, 'overtaken', 2]);
    expect(await readMemory(dependencies)).toEqual({ memory: { ...noWatchdogMemory, ranAtMs: 5 }, version: 2 });
  });

  it('says that a step failed, and takes the others', async () => {
    const worker = await stack.aWorker(0, 1);
    await stack.tell(worker, [aFrozenConnection(7, 0), aFrozenConnection(8, 1)]);
    const config = aStoreConfig({}, { sqsEndpoint: 'http://127.0.0.1:9', storeTimeoutMs: 500 });
    const nowhere: SQSClient = makeQueueClient(config);

    await stack.handler({ queue: nowhere })();

    expect((await stack.steps()).map(({ outcome }) => outcome)).toEqual(['failed', 'failed']);
    expect(await readMemory(stack.api.dependencies)).toMatchObject({ version: 2 });
  });

  it('fails when the store does not answer, and then has done nothing', async () => {
    const worker = await stack.aWorker(0);
    await stack.tell(worker, [aFrozenConnection(7, 0)]);

    await expect(stack.handler({ stage: 'missing' })()).rejects.toMatchObject({ name: 'ResourceNotFoundException' });

    expect(await stack.api.takeCommands()).toEqual([]);
  });
});

describe('requests on a lease', () => {
  let stack: WatchdogStack;
  beforeAll(async () => {
    stack = await WatchdogStack.start();
  });
  afterAll(() => stack.stop());

  it('are refused by who is dead or gone, and stay through heartbeats', async () => {
    const fleet = stack.api.dependencies;
    const [living, dead] = [await stack.aWorker(0), await stack.aWorker()];
    await markLeaseDead(fleet, dead, { proof: 'clean', nowMs: Date.now() });

    const outcomes = [
      await requestHandOffs(fleet, living, [{ shard: 0, epoch: 1 }]),
      await requestHandOffs(fleet, dead, [{ shard: 0, epoch: 1 }]),
      await requestHandOffs(fleet, { ...living, taskId: 'another' }, []),
    ];
    await stack.beat(living);

    expect(outcomes).toEqual(['written', 'refused', 'refused']);
    expect(await stack.leaseOf(living)).toMatchObject({ handOffs: [{ shard: 0, epoch: 1 }], drainRequested: false });
  });
});

describe('what operators see of the watchdog', () => {
  let stack: WatchdogStack;
  beforeAll(async () => {
    stack = await WatchdogStack.start();
  });
  afterAll(() => stack.stop());
  const look = (key?: string) => stack.api.call('GET', '/v1/admin/watchdog', { key });

  it('is nothing before its first run', async () => {
    const answer = await look(stack.api.operatorKey);

    expect([answer.status, answer.body]).toEqual([200, { brake: false, troubled: [], steps: [] }]);
  });

  it('is what it did, newest first, and who is not known to be well', async () => {
    const worker = await stack.aWorker(0);
    await stack.tell(worker, [aFrozenConnection(7, 0)]);
    await stack.handler()();
    stack.pass();
    await stack.beat(worker);
    await stack.tell(worker, [aFrozenConnection(7, 0), aFrozenConnection(8, 0)]);
    await stack.handler()();

    const { body } = await look(stack.api.operatorKey);

    const common = { rung: 'restart', reason: 'silent_server', worker: worker.workerId, tenant: 'tnt_one', shard: 0 };
    expect(body).toMatchObject({
      ranAt: '2026-08-01T00:01:00.000Z',
      brake: false,
      troubled: [
        { id: aConnectionId(7), attempts: 2, badAt: '2026-08-01T00:01:00.000Z' },
        { id: aConnectionId(8), attempts: 1 },
      ],
    });
    const steps = body['steps'] as readonly Record<string, unknown>[];
    expect(steps).toHaveLength(3);
    expect(steps.at(-1)).toEqual({
      ...common,
      at: '2026-08-01T00:00:00.000Z',
      attempt: 1,
      connection: aConnectionId(7),
      outcome: 'done',
    });
  });

  it('needs the key of an operator, and is described', async () => {
    const tenant = await stack.api.tenant();

    const [nobody, tenants] = [await look(), await look(tenant.key)];

    expect([nobody.status, tenants.status]).toEqual([401, 403]);
    expect(makeOpenApi(adminRoutes(stack.api.dependencies))).toHaveProperty(['paths', '/v1/admin/watchdog', 'get']);
  });

  it('leaves the view of the fleet as it was, digests and memory beside it', async () => {
    const { body } = await stack.api.call('GET', '/v1/admin/fleet', { key: stack.api.operatorKey });

    expect(body['workers']).toHaveLength(1);
    expect(body['shards']).toHaveLength(2);
    expect(await requestDrain(stack.api.dependencies, await stack.aWorker())).toBe('requested');
  });
});
