import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../whatsapp/until.ts';
import { ANN, BOB, SocketRoom } from './socketRoom.ts';

/** Messages that are written while the socket is cut again and again, each time with something half done. */
const MESSAGES = 60;

describe('a socket that is cut again and again', () => {
  let room: SocketRoom;
  beforeEach(async () => {
    room = await SocketRoom.start();
    await room.pairByQr();
  });
  afterEach(() => room.stop());

  /** Comes back whenever it is cut, as a runner does, until told to stop. */
  async function comeBack(until: { readonly stopped: () => boolean }): Promise<void> {
    while (!until.stopped()) {
      const closed = room.inputs.filter(({ type }) => type === 'socket_closed').length;
      const opened = room.inputs.filter(({ type }) => type === 'paired').length;
      if (closed > opened + reopened) {
        reopened += 1;
        const session = await room.session();
        await session.raiseEpoch();
        room.open(session);
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
  let reopened = 0;

  it.each<readonly [what: string, cut: (index: number) => Promise<void>]>([
    [
      'by the server',
      async (index) => {
        if (index % 5 === 4) await room.client.strike({ kind: 'close', number: ANN });
      },
    ],
    [
      'by a queue that takes nothing now and then',
      async (index) => {
        room.publish = () => (index % 6 === 5 ? Promise.reject(new Error('queue is down')) : Promise.resolve());
      },
    ],
  ])('%s publishes every message, in order, and reads all of them', async (_what, cut) => {
    reopened = 0;
    let stopped = false;
    const coming = comeBack({ stopped: () => stopped });
    const expected: string[] = [];
    for (let index = 0; index < MESSAGES; index += 1) {
      expected.push(`message ${index}`);
      await room.client.write(BOB, ANN, `message ${index}`);
      await cut(index);
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
    room.publish = async () => undefined;
    const distinct = (): readonly string[] => [...new Set(room.texts())];
    await until('all messages', distinct, (texts) => texts.length === MESSAGES);
    await until(
      'an empty queue',
      () => room.client.phones(),
      ([ann]) => ann?.devices[0]?.waiting === 0,
    );
    stopped = true;
    await coming;

    expect(distinct()).toEqual(expected);
    expect(reopened).toBeGreaterThan(3);
    expect(await room.client.stats()).toMatchObject({ retryRequests: 0, overlap: 0 });
  });
});
