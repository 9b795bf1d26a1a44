import type { Endpoint } from './endpoint.ts';
import type { StopSignal } from '../kernel/clock.ts';
import { urlRefusals } from '../platform/addressGuard.ts';
import type { PostOutcome, WebhookPoster } from './postWebhook.ts';
import { signDelivery } from './signature.ts';

/** One POST to a tenant's endpoint, with all that its receiver checks it by. */
export interface SignedPost {
  /** The id that receivers recognise a repeated delivery by. */
  readonly id: string;
  readonly correlationId: string;
  readonly body: string;
  /** The wall clock of the attempt, in milliseconds. */
  readonly atMs: number;
}

/** Signs and posts an event. Never rejects. @param leave ends the post before its time */
export function postSigned(
  poster: Pick<WebhookPoster, 'post'>,
  { url, secret, previousSecret, headers: own }: Pick<Endpoint, 'url' | 'secret' | 'previousSecret' | 'headers'>,
  { id, correlationId, body, atMs }: SignedPost,
  leave?: StopSignal,
): Promise<PostOutcome> {
  const isTwo = previousSecret !== undefined && atMs < previousSecret.untilMs;
  const secrets = isTwo ? [secret, previousSecret.secret] : [secret];
  const headers = {
    ...own,
    'content-type': 'application/json',
    'user-agent': 'Holdfast',
    'x-correlation-id': correlationId,
    ...signDelivery(secrets, id, atMs, body),
  };
  return poster.post(url, headers, body, leave);
}

/** The reason why there was no answer, as a code; undefined when there was one. */
export function reasonOf(outcome: PostOutcome): string | undefined {
  if (outcome.outcome === 'answered') return undefined;
  if (outcome.outcome === 'timed_out') return 'timed_out';
  return outcome.outcome === 'refused' ? outcome.refusal : outcome.reason;
}

/**
 * The meaning of error codes of a network connection or of a parser, by the beginning of their name; the first that
 * fits counts.
 */
const REASONS: readonly (readonly [beginning: string, sentence: string])[] = [
  ['ECONNREFUSED', 'Nobody listens at the address and port of the URL.'],
  ['ECONNRESET', 'The receiver cut the connection before it answered.'],
  ['EHOSTUNREACH', 'The host of the URL cannot be reached.'],
  ['ENETUNREACH', 'The host of the URL cannot be reached.'],
  ['ETIMEDOUT', 'The receiver took no connection in time.'],
  ['UND_ERR_CONNECT_TIMEOUT', 'The receiver took no connection in time.'],
  ['UND_ERR_SOCKET', 'The receiver closed the connection before it answered.'],
  ['UND_ERR_HEADERS_OVERFLOW', 'The headers of the answer are larger than 16 KB.'],
  ['TOO_MANY_INTERIM_ANSWERS', 'The receiver sent interim answers (1xx) without end.'],
  ['HPE_', 'The answer is not valid HTTP.'],
  ['HTTPParserError', 'The answer is not valid HTTP.'],
  ['ERR_SSL_', 'TLS failed. Check that the port speaks TLS.'],
  ['EPROTO', 'TLS failed. Check that the port speaks TLS.'],
  ['CERT_', "The receiver's certificate is not valid."],
  ['ERR_TLS_', "The receiver's certificate is not valid for this host name."],
  ['DEPTH_ZERO_', "No known authority vouches for the receiver's certificate."],
  ['SELF_SIGNED_', "No known authority vouches for the receiver's certificate."],
  ['UNABLE_TO_', "No known authority vouches for the receiver's certificate."],
];

/** The outcome of a POST, as a sentence for a person. */
export function sentenceOf(outcome: PostOutcome): string {
  if (outcome.outcome === 'timed_out') return 'The receiver did not answer in time.';
  if (outcome.outcome === 'refused') return urlRefusals[outcome.refusal];
  if (outcome.outcome === 'unreachable') {
    const found = REASONS.find(([beginning]) => outcome.reason.startsWith(beginning));
    return found?.[1] ?? 'The receiver gave no valid answer.';
  }
  if (outcome.httpStatus >= 200 && outcome.httpStatus < 300) return 'The receiver has taken the event.';
  if (outcome.httpStatus === 410)
    return 'The receiver answered 410: it wants no more. An event that it answers so disables the webhook.';
  return `The receiver answered ${outcome.httpStatus}; only 2xx counts as taken, and redirects are not followed.`;
}
