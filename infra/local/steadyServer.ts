import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/**
 * A server of this machine that no request can end. Any page in a browser may send requests to loopback, so an error,
 * thrown now or later, ends that request alone: it is answered with 500, and passed to `onSurprise` once. Node itself
 * answers with 400 what is not HTTP. The caller listens and closes.
 */
export function makeSteadyServer(
  answer: (request: IncomingMessage, response: ServerResponse) => void | Promise<void>,
  onSurprise: (error: unknown) => void,
): Server {
  const server = createServer((request, response) => {
    // A client that goes away in the middle causes an error on both streams; without a listener that would end the
    // process.
    request.on('error', () => response.destroy());
    response.on('error', () => response.destroy());
    void Promise.try(answer, request, response).catch((error: unknown) => {
      // The client went away while its body was read: that is no surprise, and nobody is left to be answered.
      if (request.destroyed && !request.complete) return;
      onSurprise(error);
      giveUp(response);
    });
  });
  // There is no proxy here, and a stream that was taken out of the server's hands has no listener of its own any more.
  server.on('connect', (_request, stream) => {
    stream.on('error', () => stream.destroy());
    stream.end('HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  });
  return server;
}

/** The path of a request as it came, without query: an absolute form loses its origin. Never throws, unlike `new URL`. */
export function pathOf({ url = '/' }: Pick<IncomingMessage, 'url'>): string {
  return targetOf({ url }).split('?', 1)[0] ?? '/';
}

/** Path and query of a request. `GET http://host/path` is allowed by HTTP and means the same as `GET /path`. */
export function targetOf({ url = '/' }: Pick<IncomingMessage, 'url'>): string {
  const origin = /^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i.exec(url)?.[0];
  if (origin === undefined) return url;
  const rest = url.slice(origin.length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}

const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];

/**
 * Whether a request may come from a page of somebody else: either it names this machine by a name that is not its own
 * (DNS rebinding), or a browser says that a page from another origin sends it. Routes that need no key must refuse
 * those requests.
 */
export function isFromElsewhere({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  const isLoopback = (host: string): boolean => LOOPBACK.includes(host.replace(/:\d{1,5}$/, '').toLowerCase());
  if (!isLoopback(headers.host ?? '')) return true;
  const { origin } = headers;
  // A page without an origin of its own (a sandboxed frame, a file) says `null`.
  return origin !== undefined && !isLoopback(origin.replace(/^https?:\/\//i, ''));
}

function giveUp(response: ServerResponse): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  response
    .writeHead(500, { 'content-type': 'application/json' })
    .end(JSON.stringify({ message: 'Internal Server Error' }));
}
