import { EventEmitter } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toCloseCause } from '../../../worker/runner/closeRules.ts';
import { catchUnread } from '../../../worker/socket/unreadFrames.ts';
import { silenceConsole } from '../../whatsapp/silenceConsole.ts';
import { until } from '../../whatsapp/until.ts';
import { ANN, BOB, SocketRoom } from './socketRoom.ts';

silenceConsole();

describe('a frame that cannot be read', () => {
  let room: SocketRoom;
  beforeAll(async () => {
    room = await SocketRoom.start();
    await room.pairByQr();
  });
  afterAll(() => room.stop());

  it('is passed over where its seal fits: what comes behind it is read, on the same socket', async () => {
    const closed = room.inputs.filter(({ type }) => type === 'socket_closed').length;
    for (const text of ['first', 'second']) {
      expect(await room.client.strike({ kind: 'unreadable_frame', broken: 'stanza', number: ANN })).toBe(1);
      await room.client.write(BOB, ANN, text);
    }

    await until(
      'both messages',
      () => room.texts(),
      (texts) => texts.length === 2,
    );
    expect(room.texts()).toEqual(['first', 'second']);
    expect(room.logged('a frame of WhatsApp could not be read')).toHaveLength(2);
    expect(room.inputs.filter(({ type }) => type === 'socket_closed')).toHaveLength(closed);
  });

  it('ends the socket where its seal does not fit, as a line that was lost', async () => {
    await room.client.strike({ kind: 'unreadable_frame', broken: 'seal', number: ANN });

    const { close } = await room.input('socket_closed');
    expect(toCloseCause(close, 'linked')).toBe('network_lost');
  });
});

describe('what reads frames', () => {
  it.each<readonly [what: string, read: () => unknown]>([
    [
      'fails at once',
      () => {
        throw new Error('broken');
      },
    ],
    ['fails later', () => Promise.reject(new Error('broken'))],
  ])('goes on where it %s', async (_what, read) => {
    const warned: unknown[] = [];
    const frames = new EventEmitter();
    let seen = 0;
    frames.on('message', () => {
      seen += 1;
      return read();
    });
    catchUnread(frames, { warn: (message) => void warned.push(message) }, () => expect.unreachable());

    frames.emit('message', 'one');
    frames.emit('message', 'two');
    await new Promise((resolve) => void setImmediate(resolve));

    expect(seen).toBe(2);
    expect(warned).toEqual(Array.from({ length: 2 }, () => 'a frame of WhatsApp could not be read'));
  });
});
