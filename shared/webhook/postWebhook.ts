import { Agent, request, type Dispatcher } from 'undici';
import type { Clock } from '../kernel/clock.ts';
import { TimeoutError, withDeadline } from '../kernel/deadline.ts';
import { AddressRefusedError, type AddressGuard, type UrlRefusal } from './addressGuard.ts';

/** One POST to a receiver that we do not trust: guarded address, no redirects, a bounded answer, one deadline for all. */
export interface WebhookPoster {
  /** Never rejects: what went wrong is the outcome of the attempt. */
  readonly post: (url: string, headers: Readonly<Record<string, string>>, body: string) => Promise<PostOutcome>;
  /** Closes the connections that are kept open. */
  readonly close: () => Promise<void>;
}

/** What became of one POST. `answered` says nothing about success: a redirect is an answer, too. */
export type PostOutcome =
  | { readonly outcome: 'answered'; readonly httpStatus: number; readonly durationMs: number }
  | { readonly outcome: 'refused'; readonly refusal: UrlRefusal; readonly durationMs: number }
  | { readonly outcome: 'timed_out'; readonly durationMs: number }
  /** No connection, no TLS, or no valid answer; `reason` is a code such as `ECONNREFUSED`. */
  | { readonly outcome: 'unreachable'; readonly reason: string; readonly durationMs: number };

export interface WebhookPosterOptions {
  readonly guard: AddressGuard;
  readonly clock: Clock;
  /** For the whole attempt: look-up, connection, request and answer. */
  readonly timeoutMs: number;
  /** Certificate authorities to trust in place of the system's, in PEM. */
  readonly certificateAuthorities?: readonly string[];
}

/** Most of an answer that is read, so that the connection can be used again; a longer one costs the receiver its connection. */
const ANSWER_LIMIT_BYTES = 64 * 1_024;
const CONNECTIONS_PER_ORIGIN = 8;
const IDLE_SOCKET_MS = 4_000;

/** Makes the poster of one process. */
export function makeWebhookPoster(options: WebhookPosterOptions): WebhookPoster {
  const { guard, clock, timeoutMs, certificateAuthorities } = options;
  const agent = new Agent({
    connections: CONNECTIONS_PER_ORIGIN,
    keepAliveTimeout: IDLE_SOCKET_MS,
    connect: {
      // The connection dials what this look-up answers, so what is judged and what is dialled cannot differ.
      lookup: guard.lookup,
      timeout: timeoutMs,
      ...(certificateAuthorities === undefined ? {} : { ca: [...certificateAuthorities] }),
    },
  });
  return {
    post: async (url, headers, body) => {
      const startedMs = clock.monotonicMs();
      const elapsed = (): number => Math.round(clock.monotonicMs() - startedMs);
      const refusal = guard.refusalOfText(url);
      if (refusal !== undefined) return { outcome: 'refused', refusal, durationMs: elapsed() };
      try {
        const httpStatus = await withDeadline('a webhook', timeoutMs, async (signal) => {
          const answer = await request(url, { method: 'POST', headers, body, dispatcher: agent, signal });
          await discard(answer.body);
          return answer.statusCode;
        });
        return { outcome: 'answered', httpStatus, durationMs: elapsed() };
      } catch (error) {
        return { ...toOutcome(error), durationMs: elapsed() };
      }
    },
    close: () => agent.destroy(),
  };
}

/** Reads an answer to its end or to the limit; nothing of it is kept. */
async function discard(body: Dispatcher.ResponseData['body']): Promise<void> {
  let read = 0;
  for await (const chunk of body) {
    read += (chunk as Uint8Array).byteLength;
    if (read > ANSWER_LIMIT_BYTES) break;
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
