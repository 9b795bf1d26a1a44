import { DeleteMessageCommand, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeWatchdogHandler } from '../../functions/watchdog/handler.ts';
import { readMemory, type RecordedStep } from '../../functions/watchdog/watchdogMemory.ts';
import { readDigests } from '../../shared/connection/workerDigest.ts';
import { markTaskDead } from '../../shared/fleet/fleetLease.ts';
import type { FleetTable } from '../../shared/fleet/fleetTable.ts';
import type { ShardView } from '../../shared/fleet/fleetView.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import { systemRandom } from '../../shared/kernel/random.ts';
import { makeQueueClient } from '../../shared/platform/aws.ts';
import { silentLogger } from '../../shared/platform/logger.ts';
import { silentMetrics } from '../../shared/platform/metrics.ts';
import { commandQueueName } from '../../shared/platform/queues.ts';
import { startDigestWriter } from '../../worker/status/digestWriter.ts';
import { createQueues, startQueues } from '../emulators/queues.ts';
import { aStoreConfig } from '../emulators/storeConfig.ts';
import { aConnection, aConnectionId, aFrozenConnection, rules } from '../functions/watchdog/builders.ts';
import { until } from '../whatsapp/until.ts';
import { startFleets, type TestMember } from './fleet/members.ts';

const PATIENCE_MS = 30_000;
const SHARD = 1;

/**
 * Members of a fleet with their real leader, leases, hand-offs and digests on the emulators, and the watchdog beside them. Only
 * what a socket would show is given, and the minutes between two runs pass by hand.
 */
describe('a connection that is frozen wherever it is', () => {
  let fleets: Awaited<ReturnType<typeof startFleets>>;
  let queues: Awaited<ReturnType<typeof startQueues>>;
  let queue: SQSClient;
  let fleet: FleetTable;
  let isFrozen = true;
  let nowMs = Date.UTC(2026, 7, 1);
  const members: TestMember[] = [];
  const writers: { readonly stop: () => Promise<void> }[] = [];
  /** Tasks that the watchdog had stopped. */
  const stopped: string[] = [];
  beforeAll(async () => {
    [fleets, queues] = await Promise.all([startFleets(), startQueues()]);
    queue = makeQueueClient(aStoreConfig({ queues }));
  });
  beforeEach(async () => {
    await fleets.newStage();
    await createQueues(queues.endpoint, fleets.stage(), 4);
    fleet = { table: fleets.table, stage: fleets.stage() };
  });
  afterEach(async () => {
    stopped.splice(0);
    await Promise.all(writers.splice(0).map((writer) => writer.stop()));
    await fleets.stopMembers();
    members.splice(0);
  });
  afterAll(async () => {
    await Promise.all([queues.stop(), fleets.stop()]);
  });

  const aMember = async (): Promise<void> => {
    const member = await fleets.aMember();
    members.push(member);
    writers.push(
      startDigestWriter({
        fleet,
        workerId: member.own.workerId,
        gate: member.gate,
        ownedShards: () => member.ownedShards(),
        vitals: () =>
          [...member.ownedShards().keys()].map((shard) =>
            shard === SHARD && isFrozen ? aFrozenConnection(shard, shard) : aConnection(shard, shard),
          ),
        loopDelayMs: () => 0,
        config: { everyMs: 50, suspectMs: 60_000 },
        timeoutMs: 5_000,
        clock: systemClock,
        logger: silentLogger,
      }),
    );
  };
  const rowOf = async (): Promise<ShardView | undefined> => (await fleets.store().readShards([SHARD])).shards[0];
  const living = (): readonly TestMember[] => members.filter(({ own }) => !stopped.includes(own.taskId));
  const numbers = async (): Promise<ReadonlyMap<string, number>> => {
    const digests = await readDigests(
      fleet,
      living().map(({ own }) => own.workerId),
    );
    return new Map([...digests].map(([workerId, { number }]) => [workerId, number]));
  };
  /** Until each has written two digests more, and shown a heartbeat: what happens in half a minute. */
  const untilTold = async (): Promise<void> => {
    const heartbeats = async (): Promise<readonly string[]> =>
      (await fleets.store().read(4)).leases.map(({ workerId, heartbeat }) => `${workerId} ${heartbeat}`);
    const [before, beaten] = [await numbers(), await heartbeats()];
    await until(
      'two digests of each',
      numbers,
      (now) => [...now].every(([workerId, number]) => number >= (before.get(workerId) ?? 0) + 2),
      PATIENCE_MS,
    );
    await until(
      'a heartbeat of each',
      heartbeats,
      (now) => now.filter((one) => !beaten.includes(one)).length >= living().length,
      PATIENCE_MS,
    );
  };
  const steps = async (): Promise<readonly RecordedStep[]> => (await readMemory(fleet)).memory.steps;
  const takeRestarts = async (): Promise<number> => {
    const QueueUrl = `${queues.queueUrlBase}${commandQueueName(fleet.stage, SHARD)}`;
    const { Messages = [] } = await queue.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, MessageSystemAttributeNames: ['MessageGroupId'] }),
    );
    for (const { ReceiptHandle } of Messages) await queue.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    return Messages.filter(
      ({ Body, Attributes }) =>
        Attributes?.MessageGroupId === `${aConnectionId(SHARD)}#control` && Body?.includes('"control":"restart"'),
    ).length;
  };

  it('is seen on each rung in order: two restarts, three other owners, and the stop of a task; then it is forgotten', async () => {
    isFrozen = true;
    for (let count = 0; count < 3; count += 1) await aMember();
    await until(
      'all shards being owned',
      () => living().reduce((sum, { ownedShards }) => sum + ownedShards().size, 0),
      (sum) => sum === 4,
      PATIENCE_MS,
    );
    const stopTask = async (taskId: string): Promise<void> => {
      stopped.push(taskId);
      await members.find(({ own }) => own.taskId === taskId)?.stop();
      // The process is gone, as ECS reports it.
      await markTaskDead(fleet, taskId, Date.now());
      isFrozen = false;
    };
    const handler = makeWatchdogHandler({
      ...fleet,
      queue,
      queueUrlBase: queues.queueUrlBase,
      clock: { ...systemClock, nowMs: () => nowMs },
      random: systemRandom,
      rules,
      shardCount: 4,
      stopTask,
      openMetrics: () => ({ ...silentMetrics, stop: () => undefined }),
      logger: silentLogger,
    });
    const owners: (string | undefined)[] = [];
    let restarts = 0;

    for (let attempt = 1; attempt <= 6; attempt += 1) {
      const before = await rowOf();
      owners.push(before?.owner);
      await untilTold();
      // Long enough for any rung.
      nowMs += 150_000;
      await handler();
      expect(await steps()).toHaveLength(attempt);
      if (attempt <= 2) restarts += await takeRestarts();
      else await until('another owner', rowOf, (row) => (row?.epoch ?? 0) > (before?.epoch ?? 0), PATIENCE_MS);
    }
    const climbing = (await readMemory(fleet)).memory.connections;
    for (let minute = 0; minute < 4; minute += 1) {
      await untilTold();
      nowMs += 120_000;
      await handler();
    }

    const told = await steps();
    expect(told.map(({ rung, attempt, outcome }) => `${attempt} ${rung} ${outcome}`)).toEqual([
      '1 restart done',
      '2 restart done',
      '3 hand_off done',
      '4 hand_off done',
      '5 hand_off done',
      '6 stop_task done',
    ]);
    expect(told.map(({ workerId }) => workerId)).toEqual(owners);
    expect(restarts).toBe(2);
    // The owner of the first three attempts, then another one after each hand-off.
    expect(new Set(owners.slice(0, 3)).size).toBe(1);
    for (const index of [3, 4, 5]) expect(owners[index]).not.toBe(owners[index - 1]);
    expect(stopped).toEqual([members.find(({ own }) => own.workerId === owners[5])?.own.taskId]);
    expect((await rowOf())?.owner).not.toBe(owners[5]);
    expect(Object.keys(climbing)).toEqual([aConnectionId(SHARD)]);
    expect((await readMemory(fleet)).memory.connections).toEqual({});
    expect((await fleets.store().read(4)).leases.flatMap(({ handOffs }) => handOffs)).toEqual([]);
  });
});
