import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silenceConsole } from '../whatsapp/silenceConsole.ts';
import { WorkerRoom } from './workerRoom.ts';

silenceConsole();
const CONTACT = '4915100000009';
const NUMBERS = ['4915100000001', '4915100000002', '4915100000003', '4915100000004', '4915100000005'] as const;
/** The sends of these get no acks: they are the smaller part, so that the fault may be the worker's. */
const STUCK = NUMBERS.slice(0, 2);
const settings = {
  HOLDFAST_SERVER_ACK_TIMEOUT_MS: '1000',
  HOLDFAST_SUPERVISE_EVERY_MS: '200',
  HOLDFAST_UNACKNOWLEDGED_LIMIT_MS: '2500',
  BAILEYS_RECONNECT_BASE_DELAY: '150',
  BAILEYS_RECONNECT_MAX_DELAY: '2000',
} as const;

describe('a worker whose new sockets do not help', () => {
  let room: WorkerRoom;
  beforeAll(async () => {
    room = await WorkerRoom.start([...NUMBERS, CONTACT]);
  });
  afterAll(() => room.stop());

  it('drains: another worker takes its connections over, and what waited to be sent is sent once', async () => {
    const first = room.aWorker('first', settings);
    await first.ready;
    const connections = await Promise.all(NUMBERS.map((number) => room.aPairedConnection(number)));
    const second = room.aWorker('second', settings);
    await second.ready;
    for (const number of STUCK) await room.phones.fault({ kind: 'drop_acks', number });

    const stuck = connections.slice(0, STUCK.length);
    const messages = await Promise.all(stuck.map((each, index) => room.send(each, `${index}`, CONTACT)));
    const code = await first.exited;
    await room.phones.clearFaults();
    for (const message of messages) await room.untilSent(message);
    const histories = await Promise.all(stuck.map((each) => room.history(each)));
    const stats = await room.phones.stats();

    expect(code).toBe(0);
    expect(first.lines).toContainEqual(
      expect.objectContaining({ message: 'drains: new sockets do not help its connections', symptom: 'sends_stuck' }),
    );
    const recycled = histories.map((history) => history.filter((status) => status.endsWith('/sends_stuck')).length);
    expect(Math.max(...recycled)).toBeGreaterThanOrEqual(3);
    expect((await room.shownTo(CONTACT)).toSorted()).toEqual(['0', '1']);
    expect(stats).toMatchObject({ replaced: 0, overlap: 0 });
    expect(second.lines.filter(({ level }) => level === 'error')).toEqual([]);
  }, 150_000);
});
