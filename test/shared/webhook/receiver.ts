import { createServer as createHttpServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface ReceivedPost {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A receiver of webhooks on loopback. */
export interface Receiver {
  /** With `http://127.0.0.1`, or `https://localhost` if it has a certificate. No slash at the end. */
  readonly url: string;
  readonly port: number;
  readonly received: readonly ReceivedPost[];
  readonly stop: () => Promise<void>;
}

/** Starts one that answers as told once it has read a request. */
export async function startReceiver(
  answer: RequestListener = (_request, response) => response.end(),
  certificate?: { readonly cert: string; readonly key: string },
): Promise<Receiver> {
  const received: ReceivedPost[] = [];
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push({
        path: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      });
      answer(request, response);
    });
  };
  const server = certificate === undefined ? createHttpServer(listener) : createHttpsServer(certificate, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  const url = certificate === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`;
  return { url, port, received, stop };
}
