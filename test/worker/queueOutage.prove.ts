import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../whatsapp/until.ts';
import { WorkerRoom } from './workerRoom.ts';

const SHOP = '4915100000001';
const CONTACT = '4915100000002';
const PATIENCE_MS = 60_000;

describe('a connection whose messages cannot be handed on', () => {
  let room: WorkerRoom;
  beforeEach(async () => {
    room = await WorkerRoom.start([SHOP, CONTACT]);
  });
  afterEach(() => room.stop());

  it('is opened again, and its status says that we could not store and not that WhatsApp closed', async () => {
    await room.aWorker('task-1').ready;
    const connection = await room.aPairedConnection(SHOP);
    await room.loseQueues();

    await room.phones.write(CONTACT, SHOP, 'who takes this?');
    const history = await until(
      'a new socket',
      () => room.history(connection),
      (entries) => entries.filter((entry) => entry.startsWith('reconnecting/')).length > 1,
      PATIENCE_MS,
    );

    expect(history.filter((entry) => entry.startsWith('reconnecting/'))).toEqual([
      'reconnecting/restart_required',
      'reconnecting/store_failed',
    ]);
  });
});
