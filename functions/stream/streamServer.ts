import { createServer, type IncomingMessage, type Server } from 'node:http';
import { Stop, type Clock } from '../../shared/kernel/clock.ts';
import type { EventStreams } from './handler.ts';
import { answerStream } from './nodeStreams.ts';

/**
 * How long an idle connection is kept, in milliseconds: longer than the load balancer keeps it (60 s), which would otherwise send a
 * request into a connection that closes at that moment. Source: Elastic Load Balancing, "HTTP 502: Bad gateway".
 */
const KEEP_ALIVE_MS = 75_000;
/** How long a client may take for the head of its request, in milliseconds; it has no body. */
const HEAD_MS = 15_000;
/** How often the end of a drain is looked for, and how long it may take, in milliseconds: clients are told, and close. */
const DRAIN_LOOK_MS = 50;
export const DRAIN_MS = 25_000;

export interface StreamServer {
  readonly port: number;
  /** Takes no further connection, ends all streams with a reason, and resolves when they are gone or {@link DRAIN_MS} have passed. */
  readonly drain: () => Promise<void>;
}

/**
 * Serves streams and nothing else.
 *
 * | path                | answer                                                      |
 * | ------------------- | ----------------------------------------------------------- |
 * | `/v1/events/stream` | the events of a tenant                                      |
 * | `/health`           | 200 as long as the event loop turns; 503 once it is drained |
 *
 * Rejects when the port is taken.
 */
export async function startStreamServer(
  streams: EventStreams,
  clock: Clock,
  at: { readonly host: string; readonly port: number },
): Promise<StreamServer> {
  let isDraining = false;
  const server = createServer(
    { keepAliveTimeout: KEEP_ALIVE_MS, headersTimeout: HEAD_MS, requestTimeout: HEAD_MS },
    (request, response) => {
      if (answerStream(streams, request, response, addressBeforeBalancer)) return;
      request.resume();
      const isHealth = request.url === '/health';
      const status = isHealth ? (isDraining ? 503 : 200) : 404;
      const sentence = isHealth ? `${streams.count} streams` : 'Only GET /v1/events/stream is served here.';
      response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' });
      response.end(`${sentence}\n`);
    },
  );
  return {
    port: await listen(server, at),
    drain: async () => {
      isDraining = true;
      const closed = new Stop();
      server.close(() => closed.abort());
      streams.drain();
      const untilMs = clock.monotonicMs() + DRAIN_MS;
      while (!closed.aborted && clock.monotonicMs() < untilMs) {
        // A connection whose stream has ended would stay for the next request.
        server.closeIdleConnections();
        await clock.sleep(DRAIN_LOOK_MS, closed);
      }
      server.closeAllConnections();
    },
  };
}

/**
 * The client's address, which the load balancer writes behind what the client itself may have written. Source: Elastic Load Balancing,
 * "HTTP headers and Application Load Balancers", X-Forwarded-For.
 */
function addressBeforeBalancer({ headers, socket }: IncomingMessage): string {
  const told = [headers['x-forwarded-for'] ?? []].flat().join(',');
  return told.split(',').at(-1)?.trim() || (socket.remoteAddress ?? '');
}

function listen(server: Server, { host, port }: { readonly host: string; readonly port: number }): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
