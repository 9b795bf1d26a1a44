import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readMemory } from '../../functions/watchdog/watchdogMemory.ts';
import type { Connection } from '../../shared/connection/connection.ts';
import { markTaskDead } from '../../shared/fleet/fleetLease.ts';
import { until } from '../whatsapp/until.ts';
import { digests, off } from './layerSettings.ts';
import { watchFrom } from './watchdogOfTest.ts';
import { WorkerRoom } from './workerRoom.ts';

const OTHER = '4915100000002';
const CONTACT = '4915100000009';
const PATIENCE_MS = 60_000;
describe('a connection whose server is silent wherever it is opened, with every layer but the watchdog switched off', () => {
  let room: WorkerRoom;
  let other: Connection;
  let stopWatching: () => Promise<void> = () => Promise.resolve();
  beforeAll(async () => {
    room = await WorkerRoom.start([OTHER, CONTACT]);
    await room.aWorker('pairs').ready;
    other = await room.aPairedConnection(OTHER);
    await room.dismissAll();
  });
  afterEach(async () => {
    await stopWatching();
    stopWatching = () => Promise.resolve();
    await room.phones.clearFaults();
    await room.dismissAll();
  });
  afterAll(() => room.stop());

  it('is seen on each rung in order when nothing helps: two restarts, three hand-offs, then the task is stopped', async () => {
    const alone = { ...off.deadlines, ...off.supervisor, ...digests };
    const tasks = new Map(['one', 'two'].map((taskId) => [taskId, room.aWorker(taskId, alone)] as const));
    for (const worker of tasks.values()) await worker.ready;
    await room.untilOnline(other);
    const stopped: string[] = [];
    stopWatching = watchFrom(room, {
      stopTask: async (taskId) => {
        stopped.push(taskId);
        await room.phones.clearFaults();
        tasks.get(taskId)?.signal('SIGKILL');
        await tasks.get(taskId)?.exited;
        await markTaskDead(room.fleetTable, taskId, Date.now());
      },
    });

    // This login and each that follows.
    await room.phones.fault({ kind: 'silent', number: OTHER });
    await room.phones.strike({ kind: 'close', number: OTHER });
    const steps = await until(
      'the stop of a task',
      async () =>
        (await readMemory(room.fleetTable)).memory.steps.filter((step) => step.connectionId === other.connectionId),
      (taken) => taken.some(({ rung }) => rung === 'stop_task'),
      2 * PATIENCE_MS,
    );
    const message = await room.send(other, 'after all rungs', CONTACT);
    await room.untilSent(message);

    expect(steps.map(({ rung, attempt }) => `${attempt} ${rung}`)).toEqual([
      '1 restart',
      '2 restart',
      '3 hand_off',
      '4 hand_off',
      '5 hand_off',
      '6 stop_task',
    ]);
    expect(stopped).toHaveLength(1);
    expect(await room.phones.stats()).toMatchObject({ overlap: 0, undecryptable: 0 });
  });
});
