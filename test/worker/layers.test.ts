import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readMemory } from '../../functions/watchdog/watchdogMemory.ts';
import type { Connection } from '../../shared/connection/connection.ts';
import { markTaskDead } from '../../shared/fleet/fleetLease.ts';
import { until } from '../whatsapp/until.ts';
import { watchFrom } from './watchdogOfTest.ts';
import { WorkerRoom } from './workerRoom.ts';

const OWN = '4915100000001';
const OTHER = '4915100000002';
const CONTACT = '4915100000009';
const PATIENCE_MS = 60_000;
/** Longer than any test. */
const NEVER_MS = '3600000';

/** Each layer of defence switched off: it would act only long after the test. */
const off = {
  deadlines: {
    HOLDFAST_KEEP_ALIVE_MS: NEVER_MS,
    HOLDFAST_ONLINE_QUERY_TIMEOUT_MS: NEVER_MS,
    HOLDFAST_OPEN_WITHIN_MS: NEVER_MS,
  },
  supervisor: {
    // Goes on to ask idle connections for a sign of life, and judges nobody.
    HOLDFAST_SUPERVISE_EVERY_MS: '200',
    HOLDFAST_PROBE_AFTER_MS: '1000',
    HOLDFAST_SUCCESS_WITHIN_MS: NEVER_MS,
    HOLDFAST_SILENCE_LIMIT_MS: NEVER_MS,
    HOLDFAST_UNHANDLED_LIMIT_MS: NEVER_MS,
    HOLDFAST_UNACKNOWLEDGED_LIMIT_MS: NEVER_MS,
    HOLDFAST_LOCK_LIMIT_MS: NEVER_MS,
  },
} as const;
const on = {
  deadlines: { HOLDFAST_KEEP_ALIVE_MS: '1000' },
  supervisor: {
    HOLDFAST_SUPERVISE_EVERY_MS: '200',
    HOLDFAST_PROBE_AFTER_MS: '1000',
    HOLDFAST_SILENCE_LIMIT_MS: '4000',
  },
} as const;
const digests = { HOLDFAST_DIGEST_MS: '200', HOLDFAST_DIGEST_SUSPECT_MS: '1000' } as const;

describe('a connection whose server is silent while the network holds', () => {
  let room: WorkerRoom;
  let connection: Connection;
  let other: Connection;
  let stopWatching: () => Promise<void> = () => Promise.resolve();
  beforeAll(async () => {
    room = await WorkerRoom.start([OWN, OTHER, CONTACT]);
    await room.aWorker('pairs').ready;
    connection = await room.aPairedConnection(OWN);
    other = await room.aPairedConnection(OTHER);
    await room.dismissAll();
  }, PATIENCE_MS);
  afterEach(async () => {
    await stopWatching();
    stopWatching = () => Promise.resolve();
    await room.phones.clearFaults();
    await room.dismissAll();
  });
  afterAll(() => room.stop());

  it.each<readonly [layer: string, settings: Readonly<Record<string, string>>, watched: boolean, code: string]>([
    ['the deadline of its socket', { ...on.deadlines, ...off.supervisor }, false, 'reconnecting/network_lost'],
    ['the supervisor in its process', { ...off.deadlines, ...on.supervisor }, false, 'reconnecting/silent_server'],
    ['the watchdog outside', { ...off.deadlines, ...off.supervisor }, true, 'reconnecting/restarting'],
  ])(
    'is recovered by %s alone, with the two other layers switched off; nothing is lost or doubled',
    async (layer, settings, watched, code) => {
      await room.aWorker(layer, { ...settings, ...digests }).ready;
      await room.untilOnline(connection);
      const before = (await room.history(connection)).length;
      if (watched) stopWatching = watchFrom(room, { stopTask: () => Promise.resolve() });

      await room.phones.strike({ kind: 'go_silent', number: OWN });
      const message = await room.send(connection, layer, CONTACT);
      await room.untilSent(message);
      const since = await until(
        'online again',
        async () => (await room.history(connection)).slice(before),
        (history) => history.length > 1 && history.at(-1) === 'online/open',
        PATIENCE_MS,
      );

      expect(since).toContain(code);
      expect((await room.shownTo(CONTACT)).filter((text) => text === layer)).toEqual([layer]);
      expect(await room.phones.stats()).toMatchObject({ overlap: 0, undecryptable: 0 });
    },
    2 * PATIENCE_MS,
  );

  it(
    'is seen on each rung in order when nothing helps: two restarts, three hand-offs, then the task is stopped',
    async () => {
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
    },
    4 * PATIENCE_MS,
  );
});
