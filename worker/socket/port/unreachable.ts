/**
 * The reason why no network connection to WhatsApp came about, as a node that `closeRules` knows; undefined for a
 * connection that was there and broke. It is judged by the code and the call that failed, never by a text.
 */
export type Unreachable =
  'unreachable' | 'unreachable_host' | 'unreachable_refused' | 'unreachable_timeout' | 'unreachable_tls';

/** Codes that only a look-up, a dial or a TLS handshake ends with, by their beginning. */
const ALWAYS: readonly (readonly [beginning: string, node: Unreachable])[] = [
  ['ENOTFOUND', 'unreachable_host'],
  ['EAI_', 'unreachable_host'],
  ['ENODATA', 'unreachable_host'],
  ['ECONNREFUSED', 'unreachable_refused'],
  ['CERT_', 'unreachable_tls'],
  ['ERR_TLS_', 'unreachable_tls'],
  ['ERR_SSL_', 'unreachable_tls'],
  ['EPROTO', 'unreachable_tls'],
  ['DEPTH_ZERO_', 'unreachable_tls'],
  ['SELF_SIGNED_', 'unreachable_tls'],
  ['UNABLE_TO_', 'unreachable_tls'],
];
/** Codes that also end an open network connection: they count only for a dial. */
const WHILE_DIALLING: Readonly<Record<string, Unreachable>> = {
  ETIMEDOUT: 'unreachable_timeout',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
};
const TIMED_OUT = 408;

/**
 * The reason, from an error.
 * @param statusCode the code that Baileys made of it
 */
export function toUnreachable(error: Error, statusCode: number | undefined): Unreachable | undefined {
  const { code, syscall } = error as Error & { readonly code?: unknown; readonly syscall?: unknown };
  // The WebSocket's own deadline for its opening handshake has no code, and Baileys gives only this error the number of
  // a time-out.
  if (typeof code !== 'string') return statusCode === TIMED_OUT ? 'unreachable_timeout' : undefined;
  const found = ALWAYS.find(([beginning]) => code.startsWith(beginning));
  if (found !== undefined) return found[1];
  // All addresses of a name failed: there is one error for all, without a call.
  const isDial = syscall === 'connect' || error instanceof AggregateError;
  return isDial ? WHILE_DIALLING[code] : undefined;
}
