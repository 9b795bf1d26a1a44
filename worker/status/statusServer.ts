import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deadlines } from '../../shared/kernel/deadlines.ts';
import type { PrometheusMetrics } from '../../shared/platform/prometheus.ts';

/** The state that a worker shows to the platform that watches its container. */
export interface WorkerStatus {
  /** The reason why the worker cannot work at the moment; undefined when it can. */
  readonly notReadyBecause: () => string | undefined;
  /** The state of each breaker, by the dependency that it is for. */
  readonly breakers: () => Readonly<Record<string, string>>;
  readonly metrics: Pick<PrometheusMetrics, 'text' | 'contentType'>;
}

export interface StatusServer {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/**
 * Serves the state of the worker.
 *
 * | path            | answer                                                                            |
 * | --------------- | --------------------------------------------------------------------------------- |
 * | `/health`       | 200 as long as the event loop turns                                               |
 * | `/health/ready` | 200 while its lease lives and it may act, otherwise 503 with the reason; breakers |
 * | `/metrics`      | Prometheus' text format                                                           |
 *
 * The server listens on loopback unless configured otherwise: metrics tell how busy tenants are. Throws when the port
 * is
 * taken.
 */
export async function startStatusServer(
  at: { readonly host: string; readonly port: number },
  status: WorkerStatus,
): Promise<StatusServer> {
  const server = createServer({ requestTimeout: deadlines.statusRequest.ms }, (request, response) => {
    answer(request.url ?? '', status).then(
      ({ code, type, text }) => response.writeHead(code, { 'content-type': type }).end(text),
      (error: unknown) => response.writeHead(500, { 'content-type': 'text/plain' }).end(String(error)),
    );
  });
  await listen(server, at);
  const { port } = server.address() as AddressInfo;
  // The server must not keep a process up that has ended its work.
  server.unref();
  return {
    url: `http://${at.host}:${port}`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Answer {
  readonly code: number;
  readonly type: string;
  readonly text: string;
}

async function answer(url: string, { notReadyBecause, breakers, metrics }: WorkerStatus): Promise<Answer> {
  const [path] = url.split('?');
  if (path === '/health') return json(200, { status: 'ok' });
  if (path === '/metrics') return { code: 200, type: metrics.contentType, text: await metrics.text() };
  if (path !== '/health/ready') return json(404, { error: 'There are /health, /health/ready and /metrics.' });
  const reason = notReadyBecause();
  const states = { breakers: breakers() };
  return reason === undefined
    ? json(200, { status: 'ready', ...states })
    : json(503, { status: 'not_ready', reason, ...states });
}

function json(code: number, body: object): Answer {
  return { code, type: 'application/json', text: JSON.stringify(body) };
}

function listen(server: Server, { host, port }: { readonly host: string; readonly port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
