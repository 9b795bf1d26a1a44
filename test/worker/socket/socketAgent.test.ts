import { once } from 'node:events';
import { createServer, get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { socketAgentOf } from '../../../worker/socket/socketAgent.ts';
import { makeCertificate } from '../../shared/webhook/certificate.ts';

describe('what sockets open their connections with', () => {
  it('is one for all of them with TLS, and nothing of ours without', () => {
    const first = socketAgentOf('wss://web.whatsapp.com/ws/chat');

    expect(socketAgentOf('wss://web.whatsapp.com/ws/chat')).toBe(first);
    expect(socketAgentOf('ws://127.0.0.1:1/ws/chat')).toBeUndefined();
  });

  it('refuses a server whose certificate no known authority has signed', async () => {
    const server = createServer(makeCertificate()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;

    const request = get({ host: '127.0.0.1', port, agent: socketAgentOf('wss://127.0.0.1') ?? false });
    const [failure] = (await once(request, 'error')) as [NodeJS.ErrnoException];

    expect(failure.code).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
    server.close();
  });
});
