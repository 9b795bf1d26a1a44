import type { HttpAnswer } from './httpAnswer.ts';
import type { StoreConnections, StoreExchange } from './storeConnections.ts';

export interface StoreRequest {
  readonly connections: Pick<StoreConnections, 'ask' | 'giveUp'>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /**
   * The longest wait for the head of the answer, in milliseconds, from when it has a connection: one of the pool that is
   * waited for is no sign that the store does not answer, and the signals end the call while it waits.
   */
  readonly headMs: number;
  /** Ends the request, its answer included. */
  readonly signals: readonly AbortSignal[];
}

/**
 * One request, to the last byte of its answer. Rejects with an Error named `TimeoutError` when the head of the answer
 * does not come in time, with one named `AbortError` when a signal ends it, and with the error of the connection. The
 * connection of a request that was given up is closed.
 */
export function askStore({ connections, headers, body, headMs, signals }: StoreRequest): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const clear = (): void => {
      clearTimeout(timer);
      for (const signal of signals) signal.removeEventListener('abort', onAbort);
    };
    const exchange: StoreExchange = {
      text: textOf(headers, body),
      onBegin: () => {
        timer = setTimeout(() => giveUp(named('TimeoutError', 'no answer in time')), headMs);
      },
      onHead: () => clearTimeout(timer),
      onAnswer: (answer) => {
        clear();
        resolve(answer);
      },
      onError: (error) => {
        clear();
        reject(error);
      },
    };
    const giveUp = (error: Error): void => {
      connections.giveUp(exchange);
      exchange.onError(error);
    };
    const onAbort = (): void => giveUp(named('AbortError', 'the call was given up'));
    for (const signal of signals) signal.addEventListener('abort', onAbort, { once: true });
    connections.ask(exchange);
  });
}

/** The characters that a value of a header may have: any other could begin a header of its own. */
const VALUE = /^[\t\u0020-\u007e]*$/;

/** The text of a request. Throws TypeError for a header that would not stay one. */
function textOf(headers: Readonly<Record<string, string>>, body: string): string {
  let head = 'POST / HTTP/1.1\r\n';
  for (const name of Object.keys(headers)) {
    const value = headers[name] ?? '';
    if (!VALUE.test(value)) throw new TypeError(`the header ${name} has characters that it must not have`);
    head += `${name}: ${value}\r\n`;
  }
  return `${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}
