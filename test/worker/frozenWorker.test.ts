import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeWatchdogHandler } from '../../functions/watchdog/handler.ts';
import { composeWatchdog } from '../../functions/watchdog/composition.ts';
import { readMemory } from '../../functions/watchdog/watchdogMemory.ts';
import { readDigests } from '../../shared/connection/workerDigest.ts';
import type { WorkerId } from '../../shared/kernel/id.ts';
import { watchdogConfig } from '../../shared/platform/config.ts';
import { until } from '../whatsapp/until.ts';
import { WorkerRoom } from './workerRoom.ts';

const NUMBER = '4915100000009';
const PATIENCE_MS = 30_000;
/** Far longer than any test: no worker finds another dead by itself. */
const NEVER_MS = '86400000';
const DEATH_MS = 5_000;
const settings = {
  HOLDFAST_DEATH_MS: NEVER_MS,
  HOLDFAST_ORPHAN_CLAIM_MS: NEVER_MS,
  HOLDFAST_DIGEST_MS: '200',
} as const;

describe('a worker process that is frozen while no other would notice', () => {
  let room: WorkerRoom;
  beforeAll(async () => {
    room = await WorkerRoom.start([NUMBER]);
  });
  afterAll(() => room.stop());

  it('loses its shards through the watchdog alone, though it leads; the connection comes back elsewhere', async () => {
    const frozen = room.aWorker('frozen', settings);
    const frozenId = (await frozen.ready) as WorkerId;
    const connection = await room.aPairedConnection(NUMBER);
    const second = room.aWorker('second', settings);
    const secondId = (await second.ready) as WorkerId;
    const before = await until(
      'digests of both',
      () => readDigests(room.fleetTable, [frozenId, secondId]),
      (digests) => digests.size === 2,
      PATIENCE_MS,
    );
    const stopped: string[] = [];
    const config = watchdogConfig({
      ...room.stores(),
      HOLDFAST_DIGEST_MS: settings.HOLDFAST_DIGEST_MS,
      HOLDFAST_ECS_CLUSTER: 'local',
      HOLDFAST_WATCHDOG_DEATH_MS: String(DEATH_MS),
      HOLDFAST_WATCHDOG_EVERY_MS: '20000',
    });
    const watchdog = composeWatchdog(config, {
      stopTask: async (taskId) => void stopped.push(taskId),
      destination: { write: () => undefined },
    });
    const leaderBefore = (await room.fleet()).leadership.leader;

    frozen.signal('SIGSTOP');
    await until(
      'another owner',
      async () => {
        await makeWatchdogHandler(watchdog)();
        return (await room.fleet()).shards[0];
      },
      (found) => found?.owner === secondId,
      PATIENCE_MS,
    );
    await until(
      'the connection being open there',
      async () => (await room.fleet()).leases.find(({ workerId }) => workerId === secondId)?.load.online,
      (online) => online === 1,
      PATIENCE_MS,
    );
    await room.untilOnline(connection);
    const after = await room.fleet();
    frozen.signal('SIGCONT');
    const code = await frozen.exited;

    expect([...(before.get(frozenId)?.shards ?? [])].map(({ shard }) => shard)).toEqual([0]);
    expect(leaderBefore).toBe(frozenId);
    expect(after.leadership.leader).toBe(secondId);
    expect(after.leases.find(({ workerId }) => workerId === frozenId)).toMatchObject({
      state: 'DEAD',
      proof: 'observed',
    });
    expect(stopped).toEqual([frozen.taskId]);
    expect(second.lines.filter(({ message }) => message === 'worker without heartbeat')).toEqual([]);
    const { memory } = await readMemory(room.fleetTable);
    expect(memory.steps).toMatchObject([{ rung: 'confirm_death', reason: 'silent', outcome: 'dead' }]);
    // Thawed, it finds its lease dead and ends without having written.
    expect(code).toBe(2);
  });
});
