import { request as overHttp, type Agent as HttpAgent, type IncomingMessage } from 'node:http';
import { request as overHttps, type Agent as HttpsAgent } from 'node:https';
import type { StoreAnswer } from './storeErrors.ts';

/** The address of a service, and the kept-alive connections to it. */
export interface StoreAddress {
  readonly isSecure: boolean;
  readonly hostname: string;
  readonly port: number;
  /** Name and, where it is not the usual one, port: the header `Host`. */
  readonly host: string;
  readonly httpAgent: HttpAgent;
  readonly httpsAgent: HttpsAgent;
}

export interface StoreRequest {
  readonly address: StoreAddress;
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
export function askStore({ address, headers, body, headMs, signals }: StoreRequest): Promise<StoreAnswer> {
  return new Promise((resolve, reject) => {
    const { isSecure, hostname, port, httpAgent, httpsAgent } = address;
    const options = {
      hostname,
      port,
      method: 'POST',
      path: '/',
      headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
    };
    const onAnswer = (answer: IncomingMessage): void => {
      clearTimeout(timer);
      readAnswer(answer, settle, fail);
    };
    const request = isSecure
      ? overHttps({ ...options, agent: httpsAgent }, onAnswer)
      : overHttp({ ...options, agent: httpAgent }, onAnswer);
    const onAbort = (): void => fail(named('AbortError', 'the call was given up'));
    let timer: NodeJS.Timeout | undefined;
    request.on('socket', () => {
      timer = setTimeout(() => fail(named('TimeoutError', 'no answer in time')), headMs);
    });
    const clear = (): void => {
      clearTimeout(timer);
      for (const signal of signals) signal.removeEventListener('abort', onAbort);
    };
    const settle = (answer: StoreAnswer): void => {
      clear();
      resolve(answer);
    };
    const fail = (error: Error): void => {
      clear();
      reject(error);
      request.destroy();
    };
    request.on('error', fail);
    for (const signal of signals) signal.addEventListener('abort', onAbort, { once: true });
    request.end(body);
  });
}

function readAnswer(
  answer: IncomingMessage,
  settle: (answer: StoreAnswer) => void,
  fail: (error: Error) => void,
): void {
  const chunks: Buffer[] = [];
  answer.on('data', (chunk: Buffer) => chunks.push(chunk));
  // This comes, too, when the connection breaks in the middle of the answer.
  answer.on('error', fail);
  answer.on('end', () => {
    const [only] = chunks;
    const bytes = only !== undefined && chunks.length === 1 ? only : Buffer.concat(chunks);
    settle({ status: answer.statusCode ?? 0, headers: answer.headers, text: bytes.toString('utf8') });
  });
}

function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}
