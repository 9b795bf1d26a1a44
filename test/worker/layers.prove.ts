import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Connection } from '../../shared/connection/connection.ts';
import { until } from '../whatsapp/until.ts';
import { digests, off, on } from './layerSettings.ts';
import { watchFrom } from './watchdogOfTest.ts';
import { WorkerRoom } from './workerRoom.ts';

const OWN = '4915100000001';
const CONTACT = '4915100000009';
const PATIENCE_MS = 60_000;
describe('a connection whose server is silent while the network holds', () => {
  let room: WorkerRoom;
  let connection: Connection;
  let stopWatching: () => Promise<void> = () => Promise.resolve();
  beforeAll(async () => {
    room = await WorkerRoom.start([OWN, CONTACT]);
    await room.aWorker('pairs').ready;
    connection = await room.aPairedConnection(OWN);
    await room.dismissAll();
  });
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
  );
});
