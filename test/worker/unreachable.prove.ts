import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { makeCertificate } from '../shared/webhook/certificate.ts';
import { until } from '../whatsapp/until.ts';
import { askedForQr } from './pairedConnection.ts';
import { WorkerRoom } from './workerRoom.ts';

describe('a worker that cannot reach WhatsApp', () => {
  let room: WorkerRoom;
  const servers: Server[] = [];
  let tasks = 0;
  beforeAll(async () => {
    room = await WorkerRoom.start([]);
  });
  afterEach(async () => {
    await room.dismissAll();
    for (const server of servers.splice(0)) server.close();
  });
  afterAll(() => room.stop());

  const listening = async (server: Server): Promise<number> => {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  };

  it.each<[string, () => Promise<string>, string]>([
    ['a name that is none', async () => 'wss://whatsapp.invalid/ws/chat', 'whatsapp_unreachable_host'],
    [
      'a port where nobody listens',
      async () => {
        const server = createServer();
        const port = await listening(server);
        await new Promise((resolve) => server.close(resolve));
        return `ws://127.0.0.1:${port}/ws`;
      },
      'whatsapp_unreachable_refused',
    ],
    [
      'a host that says nothing',
      async () =>
        `ws://127.0.0.1:${await listening(createServer((socket) => socket.resume().on('error', () => undefined)))}/ws`,
      'whatsapp_unreachable_timeout',
    ],
    [
      'a host whose certificate nobody vouches for',
      async () => `wss://localhost:${await listening(createTlsServer(makeCertificate()))}/ws`,
      'whatsapp_unreachable_tls',
    ],
    [
      'a port that speaks no TLS',
      async () =>
        `wss://127.0.0.1:${await listening(createServer((socket) => socket.on('error', () => undefined).write('SSH-2.0-OpenSSH_9.6\r\n')))}/ws`,
      'whatsapp_unreachable_tls',
    ],
  ])(
    'says which way it failed, keeps the pairing that is asked for, and names the next attempt: %s',
    async (_what, url, code) => {
      const connection = await room.core.aConnection(askedForQr());
      const worker = room.aWorker(`task-${(tasks += 1)}`, {
        WHATSAPP_URL: await url(),
        HOLDFAST_CONNECT_TIMEOUT_MS: '1500',
      });
      await worker.ready;

      const row = await until(
        'the cause',
        () => room.rowOf(connection),
        (found) => found?.statusCode === code,
      );

      expect(row).toMatchObject({ status: 'reconnecting', pairing: { requestId: 'first' } });
      expect(row?.nextAttemptAtMs).toBeGreaterThan(0);
      await room.core.connections.setWanted(connection.tenantId, connection.connectionId, 'off');
    },
  );
});
