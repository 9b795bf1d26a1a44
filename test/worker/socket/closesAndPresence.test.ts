import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import type { Presence } from '../../../shared/connection/settings.ts';
import { toCloseCause } from '../../../worker/runner/closeRules.ts';
import { silenceConsole } from '../../whatsapp/silenceConsole.ts';
import { until } from '../../whatsapp/until.ts';
import { ANN, SocketRoom } from './socketRoom.ts';

silenceConsole();

describe('a socket', () => {
  let room: SocketRoom;
  beforeAll(async () => {
    room = await SocketRoom.start();
    await room.pairByQr();
  });
  afterEach(() => {
    room.url = undefined;
  });
  afterAll(() => room.stop());

  it.each<[Presence | undefined, string, string | undefined]>([
    [undefined, 'unavailable', 'Ann'],
    ['available', 'available', 'Ann'],
    ['unavailable', 'unavailable', 'Ann'],
    ['available', 'available', undefined],
    [undefined, 'unavailable', undefined],
  ])(
    'that is opened with presence %s announces %s, for an account with the name %s',
    async (presence, announced, name) => {
      await room.socket?.close('end');
      const session = await room.session();
      await session.raiseEpoch();
      // WhatsApp tells the name with the state of the app; a fresh account has none.
      const credentials = session.credentials as { readonly me: object };
      await session.saveCredentials({ ...credentials, me: { ...credentials.me, name } });
      room.settings = presence === undefined ? {} : { presence };

      room.open(session);
      await room.input('socket_opened');

      await until(
        announced,
        async () => (await room.client.stats()).presence[ANN],
        (seen) => seen === announced,
      );
      expect((await room.client.stats()).presence[ANN]).toBe(announced);
    },
  );

  it('tells a network that refuses it from what WhatsApp says', async () => {
    await room.socket?.close('end');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    room.url = `ws://127.0.0.1:${port}/ws/chat`;

    room.open(await room.session());
    const { close } = await room.input('socket_closed');

    expect(close).toMatchObject({ statusCode: 408, node: 'unreachable_refused' });
    expect(toCloseCause(close, 'offered')).toBe('whatsapp_unreachable_refused');
  });

  it.each<[what: string, node: string | undefined, cause: string, answers: boolean]>([
    ['that takes the connection and says nothing', 'unreachable_timeout', 'whatsapp_unreachable_timeout', false],
    ['that opens the WebSocket and never answers the handshake', undefined, 'network_lost', true],
  ])('is closed within the time for connecting by a host %s', async (_what, node, cause, answers) => {
    await room.socket?.close('end');
    const server = createServer();
    const webSockets = new WebSocketServer({ noServer: true });
    server.on('upgrade', (request, socket: Socket, head) => {
      socket.on('error', () => undefined);
      if (answers) webSockets.handleUpgrade(request, socket, head, () => undefined);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    room.url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws/chat`;

    room.open(await room.session());
    const { close } = await room.input('socket_closed');

    // The time for a login is longer, and closes it with another cause.
    expect(close).toMatchObject({ statusCode: 408, node });
    expect(toCloseCause(close, 'linked')).toBe(cause);
    server.close();
  });

  it.each([403, 401, 503, 302])('is closed at once when a proxy answers %s, and stays linked', async (status) => {
    await room.socket?.close('end');
    await room.client.fault({ kind: 'refuse_upgrade', status, times: 1 });

    room.open(await room.session());
    const { close } = await room.input('socket_closed');

    // A deadline would have closed it as 408.
    expect(close).toMatchObject({ statusCode: status, node: 'websocket' });
    expect(toCloseCause(close, 'linked')).toBe('network_lost');
    expect(room.logged('the WebSocket was refused over HTTP').at(-1)).toMatchObject({ httpStatus: status });
  });
});
