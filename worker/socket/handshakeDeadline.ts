import type { EventEmitter } from 'node:events';
import type { OpenSocketOptions } from './port/socketOptions.ts';

/** What Baileys calls a time-out, and `toSocketClose` reads. */
const TIMED_OUT = 408;

/** No network connection to WhatsApp came about in time, or WhatsApp did not begin to answer on it. */
class HandshakeLateError extends Error {
  override readonly name = 'HandshakeLateError';
  /** The shape in which Baileys reports these: an error in the data stands for a WebSocket that never opened. */
  readonly output = { statusCode: TIMED_OUT } as const;
  readonly data: Error | undefined;

  constructor(awaited: 'open' | 'answer') {
    super(awaited === 'open' ? 'the WebSocket did not open in time' : 'the handshake was not answered in time');
    this.data = awaited === 'open' ? this : undefined;
  }
}

/**
 * Bounds the opening of a WebSocket, and then the wait for the first frame of WhatsApp, by `connectTimeoutMs` each.
 * Baileys could do that itself, but has the same number for each frame that it writes, and takes three stack traces to
 * arm that deadline: a tenth of the time of a worker under load. So it gets none (`baileysConfiguration`).
 *
 * A frame that the kernel does not take needs no deadline of its own. Whoever waits for one here has a deadline; a
 * stanza whose receipt hangs is given up by `InboundOrder`, a send by `Outgoing`, a login by `Opening`; and a server
 * that is silent meanwhile is found by the keep-alive. When the socket has gone nothing of it is waited for any more.
 *
 * @param late called once, when one of the two has passed
 */
export function boundHandshake(
  raw: EventEmitter,
  { scope, config }: Pick<OpenSocketOptions, 'scope' | 'config'>,
  late: (cause: Error) => void,
): void {
  const begin = (awaited: 'open' | 'answer') =>
    scope.timeout(config.connectTimeoutMs, () => late(new HandshakeLateError(awaited)));
  let end = begin('open');
  raw.once('open', () => {
    void end();
    end = begin('answer');
  });
  for (const event of ['message', 'close']) raw.once(event, () => void end());
}
