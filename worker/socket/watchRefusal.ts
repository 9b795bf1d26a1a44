import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Logger } from '../../shared/platform/logger.ts';

/** The WebSocket was refused over HTTP, by a proxy or a balancer on the way: the number is not the word of WhatsApp. */
export class UpgradeRefusedError extends Error {
  override readonly name = 'UpgradeRefusedError';
  readonly httpStatus: number | undefined;
  /** The shape in which Baileys reports a WebSocket that failed: `toSocketClose` reads both. */
  readonly output: { readonly statusCode: number | undefined };
  readonly data: Error;

  constructor(httpStatus: number | undefined) {
    super(`the WebSocket was refused over HTTP with ${httpStatus}`);
    this.httpStatus = httpStatus;
    this.output = { statusCode: httpStatus };
    this.data = this;
  }
}

/**
 * Watches for an answer over HTTP where a WebSocket was asked for. Baileys only passes that event on; because there is
 * a listener, the `ws` library leaves the rest to it, and the refusal would be seen only at the deadline of opening.
 */
export function watchRefusal(
  raw: EventEmitter,
  logger: Pick<Logger, 'warn'>,
  refused: (error: UpgradeRefusedError) => void,
): void {
  raw.removeAllListeners('unexpected-response');
  raw.on('unexpected-response', (_request: unknown, response: IncomingMessage) => {
    const { statusCode } = response;
    response.resume();
    logger.warn('the WebSocket was refused over HTTP', { httpStatus: statusCode });
    refused(new UpgradeRefusedError(statusCode));
  });
}
