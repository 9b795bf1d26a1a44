import { Scope } from '../../../shared/kernel/scope.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeSessionSockets } from '../../../worker/runner/sessionSockets.ts';
import { neverRefused } from '../fleet/neverRefused.ts';
import { silenceConsole } from '../../whatsapp/silenceConsole.ts';
import { until } from '../../whatsapp/until.ts';
import { ANN, SocketRoom } from './socketRoom.ts';

silenceConsole();

describe('logging out a device that is offline', () => {
  let room: SocketRoom;
  beforeAll(async () => {
    room = await SocketRoom.start();
    await room.pairByQr();
    await room.socket?.close('end');
  });
  beforeEach(() => room.client.clearFaults());
  afterAll(() => room.stop());

  const sockets = (versions = neverRefused) =>
    makeSessionSockets(room.connection, {
      versions,
      opens: { follow: () => () => undefined },
      openSession: () => room.session(),
      openSocket: ({ session, onInput }) => {
        room.onInput = onInput;
        return room.open(session);
      },
    });
  const devices = async (): Promise<number> =>
    (await room.client.phones()).find(({ number }) => number === ANN)?.devices.length ?? NaN;
  const stillLate = new AbortController().signal;

  it('leaves the device where it is while WhatsApp lets nobody in', async () => {
    await room.client.fault({ kind: 'refuse_login', reason: 503 });

    const outcome = await sockets().logOut(stillLate, new Scope('socket'));

    expect([outcome, await devices()]).toEqual(['refused', 1]);
  });

  it('closes its socket when it is too late', async () => {
    await room.client.fault({ kind: 'no_success' });
    const late = new AbortController();
    const opened = (await room.client.stats()).sockets;

    const logout = sockets().logOut(late.signal, new Scope('socket'));
    await until(
      'the socket',
      async () => (await room.client.stats()).sockets,
      (count) => count > opened,
    );
    late.abort();

    expect(await logout).toBe('refused');
    expect(room.inputs.at(-1)).toMatchObject({ type: 'socket_closed' });
    expect(await devices()).toBe(1);
  });

  it('opens nothing for a client version that is refused', async () => {
    const opened = (await room.client.stats()).sockets;

    const outcome = await sockets({ ...neverRefused, isRefused: () => true }).logOut(stillLate, new Scope('socket'));

    expect([outcome, (await room.client.stats()).sockets]).toEqual(['skipped', opened]);
  });

  it('removes the device at WhatsApp', async () => {
    const outcome = await sockets().logOut(stillLate, new Scope('socket'));

    expect(outcome).toBe('done');
    await until('no device', devices, (count) => count === 0);
  });

  it('has nothing to do once the credentials are retired', async () => {
    const source = sockets();
    await source.retire();

    expect(await source.logOut(stillLate, new Scope('socket'))).toBe('skipped');
  });
});
