import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { withDeadline } from '../../shared/kernel/deadline.ts';
import { deadlines } from '../../shared/kernel/deadlines.ts';
import type { EventStreams, StreamRequest } from './handler.ts';
import type { StreamOutput } from './runStream.ts';
import { STREAM_PATH } from './streamRoute.ts';

/**
 * Serves streams from a server of Node's: answers requests for the path of the stream, and leaves all others to the caller.
 * Returns whether the request was one.
 * @param addressOf the address of who asks, where something stands in front of this server
 */
export function answerStream(
  streams: EventStreams,
  request: IncomingMessage,
  response: ServerResponse,
  addressOf: (request: IncomingMessage) => string = ({ socket }) => socket.remoteAddress ?? '',
): boolean {
  const [path, rawQueryString = ''] = splitTarget(request.url ?? '/');
  if (path !== STREAM_PATH || request.method !== 'GET') return false;
  request.resume();
  void serve(streams, { rawQueryString, headers: headersOf(request), address: addressOf(request) }, response);
  return true;
}

async function serve(streams: EventStreams, request: StreamRequest, response: ServerResponse): Promise<void> {
  const opened = await streams.open(request);
  if (opened.outcome === 'refused') {
    const { answer, correlationId } = opened;
    const type = answer.bytes?.contentType ?? 'application/json';
    response.writeHead(answer.status, {
      'cache-control': 'no-store',
      'access-control-allow-origin': '*',
      ...answer.headers,
      'content-type': type,
      'x-correlation-id': correlationId,
    });
    response.end(answer.bytes?.content);
    return;
  }
  response.once('close', opened.leave);
  if (response.destroyed) opened.leave();
  else response.writeHead(200, opened.headers);
  // A frame is sent when it is written, and not held back for the next.
  response.socket?.setNoDelay(true);
  await opened.run(outputOf(response));
  response.end();
  // What a slow reader has not taken would be kept until it does.
  if (response.writableLength > 0) response.destroy();
}

/** The way to the client of a response. So much as the buffers of the connection hold waits for it, and no more. */
function outputOf(response: ServerResponse): StreamOutput {
  return {
    write: async (text) => {
      if (response.destroyed) return 'gone';
      if (response.write(text)) return 'taken';
      const gone = new AbortController();
      const leave = (): void => gone.abort();
      response.once('close', leave);
      try {
        await withDeadline('a stream to be read', deadlines.streamRead.ms, (signal) =>
          once(response, 'drain', { signal: AbortSignal.any([signal, gone.signal]) }),
        );
        return 'taken';
      } catch {
        return gone.signal.aborted || response.destroyed ? 'gone' : 'slow';
      } finally {
        response.off('close', leave);
      }
    },
  };
}

function splitTarget(target: string): readonly [string, string?] {
  const at = target.indexOf('?');
  return at < 0 ? [target] : [target.slice(0, at), target.slice(at + 1)];
}

function headersOf({ headers }: IncomingMessage): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(',') : value]),
  );
}
