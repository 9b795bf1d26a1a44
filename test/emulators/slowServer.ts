import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/** How a server fails to answer: `silent` says nothing, `trickling` begins an answer and sends a byte of it now and then. */
export type Slowness = 'silent' | 'trickling';

export interface SlowServer {
  readonly endpoint: string;
  /** Requests that were begun so far. */
  readonly requests: () => number;
  /** Connections that the client has not closed. */
  readonly open: () => number;
  readonly stop: () => Promise<void>;
}

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: 100000\r\n\r\n';

/** Accepts connections on loopback and never finishes an answer. */
export async function startSlowServer(slowness: Slowness, byteEveryMs = 1_000): Promise<SlowServer> {
  const sockets = new Set<Socket>();
  let requests = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    let timer: NodeJS.Timeout | undefined;
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearInterval(timer);
      sockets.delete(socket);
    });
    socket.on('data', (bytes) => {
      if (!/^(?:GET|POST|PUT) /.test(bytes.toString('latin1'))) return;
      requests += 1;
      if (slowness === 'silent') return;
      socket.write(HEAD);
      timer = setInterval(() => socket.write('{'), byteEveryMs);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: () => requests,
    open: () => sockets.size,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
