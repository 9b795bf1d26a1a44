import { Agent, type Dispatcher } from 'undici';
import { TimeoutError, withDeadline } from '../kernel/deadline.ts';
import { deadlines } from '../kernel/deadlines.ts';
import { AddressRefusedError, type AddressGuard, type UrlRefusal } from '../platform/addressGuard.ts';
import type { StopSignal } from '../kernel/clock.ts';
import { AnswerText } from './answerText.ts';
import { retryAfterMs } from './retryAfter.ts';
import type { Surroundings } from '../platform/surroundings.ts';

/** One POST to a receiver that we do not trust: guarded address, no redirects, a bounded answer, one deadline for all. */
export interface WebhookPoster {
  /**
   * Posts once. Never rejects: an error is the outcome of the attempt.
   * @param leave ends the post before its time, where no answer has come: it is `unreachable` then, with the reason `LEFT`
   */
  readonly post: (
    url: string,
    headers: Readonly<Record<string, string>>,
    body: string,
    leave?: StopSignal,
  ) => Promise<PostOutcome>;
  /** Closes the connections that are kept open. */
  readonly close: () => Promise<void>;
}

/** The outcome of one POST. `answered` says nothing about success: a redirect is an answer, too. */
export type PostOutcome =
  | {
      readonly outcome: 'answered';
      readonly httpStatus: number;
      /** How long the receiver asks us to wait, in milliseconds; 0 when it does not. */
      readonly retryAfterMs: number;
      /** The time until the status line and the headers had come: nothing that decides is made of the body. */
      readonly durationMs: number;
      /** The beginning of its body, where that is a text, for people; it decides nothing. */
      readonly answer?: string | undefined;
    }
  | { readonly outcome: 'refused'; readonly refusal: UrlRefusal; readonly durationMs: number }
  | { readonly outcome: 'timed_out'; readonly durationMs: number }
  /** There was no network connection, no TLS, or no valid answer; `reason` is a code such as `ECONNREFUSED`. */
  | { readonly outcome: 'unreachable'; readonly reason: string; readonly durationMs: number };

export interface WebhookPosterOptions extends Pick<Surroundings, 'clock'> {
  readonly guard: AddressGuard;
  /** The time limit for look-up, network connection, request, status line and headers together, in milliseconds. */
  readonly timeoutMs: number;
  /** Certificate authorities to trust in place of the system's, in PEM. */
  readonly certificateAuthorities?: readonly string[];
}

/**
 * The most of a body that is read, beyond its first kilobyte only so that the network connection can be used again. A longer body, or one
 * that takes its time, costs the receiver its connection and changes nothing about the outcome.
 */
const ANSWER_LIMIT_BYTES = 64 * 1_024;
/** The greatest number of interim status lines, such as 103, before the answer. */
const INTERIM_LIMIT = 20;
const IDLE_SOCKET_MS = 4_000;

/** Makes the poster of one process. */
export function makeWebhookPoster(options: WebhookPosterOptions): WebhookPoster {
  const { guard, clock, timeoutMs, certificateAuthorities } = options;
  // Nothing bounds the connections to one host but the posts that a process has under way. Webhooks of many tenants lead to the same host, and
  // a post that waited there for one that hangs would come to its deadline without having been sent.
  const agent = new Agent({
    keepAliveTimeout: IDLE_SOCKET_MS,
    connect: {
      // The network connection dials the addresses that this look-up returns, so the judged and the dialled ones cannot
      // differ.
      lookup: guard.lookup,
      timeout: timeoutMs,
      ...(certificateAuthorities === undefined ? {} : { ca: [...certificateAuthorities] }),
    },
  });
  return {
    post: async (url, headers, body, leave) => {
      const startedMs = clock.monotonicMs();
      const elapsed = (): number => Math.round(clock.monotonicMs() - startedMs);
      const refusal = guard.refusalOfText(url);
      if (refusal !== undefined) return { outcome: 'refused', refusal, durationMs: elapsed() };
      const exchange = new Exchange();
      leave?.addEventListener('abort', () => exchange.abort(new UnusableAnswerError('LEFT')), { once: true });
      const { origin, hostname, pathname, search } = new URL(url);
      try {
        const head = await withDeadline('a webhook', timeoutMs, (signal) => {
          signal.addEventListener('abort', () => exchange.abort(signal.reason as Error), { once: true });
          agent.dispatch({ origin, path: `${pathname}${search}`, method: 'POST', headers, body }, exchange);
          return exchange.head;
        });
        const durationMs = elapsed();
        await exchange.letEnd();
        const waitMs = retryAfterMs(head.httpStatus, head.retryAfter, clock.nowMs());
        const { httpStatus } = head;
        return { outcome: 'answered', httpStatus, retryAfterMs: waitMs, durationMs, answer: exchange.answer };
      } catch (error) {
        // The addresses that were pinned may be those of a machine that is gone.
        if (leave?.aborted !== true) guard.unpin(hostname);
        return { ...toOutcome(error), durationMs: elapsed() };
      }
    },
    close: () => agent.destroy(),
  };
}

interface AnswerHead {
  readonly httpStatus: number;
  readonly retryAfter: string | readonly string[] | undefined;
}

/** The receiver's answer breaks a rule, or nobody waits for it any more; `code` says which. */
class UnusableAnswerError extends Error {
  override readonly name = 'UnusableAnswerError';
  readonly code: 'TOO_MANY_INTERIM_ANSWERS' | 'ABANDONED' | 'LEFT';

  constructor(code: UnusableAnswerError['code']) {
    super('the answer of a webhook receiver cannot be used');
    this.code = code;
  }
}

/**
 * One request and its answer. It is settled by the head of the answer, so that nothing that a body does, or fails to
 * do, can turn an answer into a failure.
 */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #head = Promise.withResolvers<AnswerHead>();
  readonly #ended = Promise.withResolvers<void>();
  #controller: Dispatcher.DispatchController | undefined;
  #abortedBy: Error | undefined;
  #interim = 0;
  #read = 0;
  #text: AnswerText | undefined;
  #hasEnded = false;

  constructor() {
    // After the deadline no caller waits for the exchange any more.
    this.#head.promise.catch(() => undefined);
  }

  get head(): Promise<AnswerHead> {
    return this.#head.promise;
  }

  /** The beginning of the body as far as it has come. */
  get answer(): string | undefined {
    return this.#text?.text();
  }

  abort(cause: Error): void {
    this.#abortedBy = cause;
    // A connection that does not come about has nobody else who tells that it is over.
    this.#head.reject(cause);
    this.#controller?.abort(cause);
  }

  /** Gives the body a moment to end, and ends it otherwise. */
  async letEnd(): Promise<void> {
    if (this.#hasEnded) return;
    const { ms } = deadlines.webhookRest;
    await withDeadline('the rest of an answer', ms, () => this.#ended.promise).catch((late: Error) => this.abort(late));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#abortedBy !== undefined) controller.abort(this.#abortedBy);
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    httpStatus: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    if (httpStatus >= 200) {
      this.#text = new AnswerText(headers['content-encoding']);
      this.#head.resolve({ httpStatus, retryAfter: headers['retry-after'] });
    } else if ((this.#interim += 1) > INTERIM_LIMIT) {
      controller.abort(new UnusableAnswerError('TOO_MANY_INTERIM_ANSWERS'));
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#read += chunk.byteLength;
    this.#text?.add(chunk);
    if (this.#read > ANSWER_LIMIT_BYTES) controller.abort(new UnusableAnswerError('ABANDONED'));
  }

  onResponseEnd(): void {
    this.#end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#head.reject(error);
    this.#end();
  }

  #end(): void {
    this.#hasEnded = true;
    this.#ended.resolve();
  }
}

type Failure =
  | { readonly outcome: 'refused'; readonly refusal: UrlRefusal }
  | { readonly outcome: 'timed_out' }
  | { readonly outcome: 'unreachable'; readonly reason: string };

function toOutcome(error: unknown): Failure {
  if (error instanceof AddressRefusedError) return { outcome: 'refused', refusal: error.refusal };
  if (error instanceof TimeoutError) return { outcome: 'timed_out' };
  const { code, name } = error as { readonly code?: unknown; readonly name?: unknown };
  return { outcome: 'unreachable', reason: typeof code === 'string' ? code : String(name) };
}
