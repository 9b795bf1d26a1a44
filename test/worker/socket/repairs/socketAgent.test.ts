import { once } from 'node:events';
import { createServer, get, type Server } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer } from 'node:net';
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { socketAgentOf } from '../../../../worker/socket/repairs/socketAgent.ts';
import { makeCertificate } from '../../../shared/webhook/certificate.ts';

const known = makeCertificate();
const servers: (Server | TcpServer)[] = [];

/** A server that answers and ends; on TLS 1.2, as its sessions come before the answer and not some time after it. */
async function serve(certificate: { readonly cert: string; readonly key: string }): Promise<number> {
  const server = createServer({ ...certificate, maxVersion: 'TLSv1.2' }, (_, response) => void response.end('here'));
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function ask(port: number): Promise<{ readonly isResumed: boolean; readonly servername: unknown }> {
  const agent = socketAgentOf(`wss://localhost:${port}/ws/chat`) ?? false;
  const request = get({ host: 'localhost', port, agent, family: 4 });
  const [response] = (await once(request, 'response')) as [NodeJS.ReadableStream];
  const socket = request.socket as TLSSocket;
  const seen = { isResumed: socket.isSessionReused(), servername: Reflect.get(socket, 'servername') };
  response.resume();
  await once(response, 'end');
  return seen;
}

describe('what sockets open their connections with', () => {
  beforeAll(() => setDefaultCACertificates([...getCACertificates('default'), known.cert]));
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  it('is one for all of them with TLS, another one for another server, and nothing of ours without TLS', () => {
    const first = socketAgentOf('wss://web.whatsapp.com/ws/chat');

    expect(socketAgentOf('wss://web.whatsapp.com/ws/chat')).toBe(first);
    expect(socketAgentOf('wss://elsewhere.example/ws/chat')).not.toBe(first);
    expect(socketAgentOf('ws://127.0.0.1:1/ws/chat')).toBeUndefined();
  });

  it('asks for the server by its name, and resumes what that server gave it before', async () => {
    const port = await serve(known);

    expect(await ask(port)).toEqual({ isResumed: false, servername: 'localhost' });
    expect(await ask(port)).toEqual({ isResumed: true, servername: 'localhost' });
  });

  it('offers a server nothing that another one gave', async () => {
    const [first, second] = [await serve(known), await serve(known)];

    await ask(first);

    expect(await ask(second)).toMatchObject({ isResumed: false });
  });

  it('keeps no listener of its own for each of them', async () => {
    const port = await serve(known);
    const agent = socketAgentOf(`wss://localhost:${port}`) ?? false;
    const listeners = async (): Promise<readonly unknown[]> => {
      const request = get({ host: 'localhost', port, agent, family: 4 });
      const [socket] = (await once(request, 'socket')) as [TLSSocket];
      const found = socket.listeners('session');
      await once(request, 'response');
      request.destroy();
      return found;
    };

    expect(await listeners()).toEqual(await listeners());
  });

  it('gives a server that says nothing only as long as the WebSocket says', async () => {
    const silent = createTcpServer().listen(0, '127.0.0.1');
    servers.push(silent);
    await once(silent, 'listening');
    const url = `wss://127.0.0.1:${(silent.address() as AddressInfo).port}/ws/chat`;

    const [failure] = (await once(
      new WebSocket(url, { agent: socketAgentOf(url), handshakeTimeout: 50 }),
      'error',
    )) as [Error];

    expect(failure.message).toBe('Opening handshake has timed out');
  });

  it('refuses a server whose certificate no known authority has signed', async () => {
    const port = await serve(makeCertificate());

    const request = get({ host: '127.0.0.1', port, agent: socketAgentOf('wss://127.0.0.1') ?? false });
    const [failure] = (await once(request, 'error')) as [NodeJS.ErrnoException];

    expect(failure.code).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
  });
});
