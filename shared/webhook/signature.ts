import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { Secret } from '../kernel/secret.ts';

/**
 * Standard Webhooks signatures (standardwebhooks.com): HMAC-SHA256 over `id.timestamp.body` with the endpoint's secret.
 * The id is the same in each attempt, so a receiver can drop repeats; the time is the attempt's, so a receiver can drop
 * old ones.
 */
export const SECRET_PREFIX = 'whsec_';

/** The headers by which a receiver checks a delivery. */
export type SignatureHeaders = Readonly<Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string>>;

/**
 * Signs one attempt with each of some secrets: while a secret is being changed there are two, and a receiver takes the post
 * for whichever it has.
 * @param secrets each is `whsec_` and the key in base64
 * @param atMs the wall clock of the attempt, in milliseconds
 */
export function signDelivery(secrets: readonly Secret[], id: string, atMs: number, body: string): SignatureHeaders {
  const timestamp = String(Math.floor(atMs / 1_000));
  const signatures = secrets.map(
    (secret) => `v1,${createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.${body}`).digest('base64')}`,
  );
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}

/** Keys of secrets in use: a key is made once for each reading of an endpoint, and goes with its secret. */
const keys = new WeakMap<Secret, KeyObject>();

function keyOf(secret: Secret): KeyObject {
  const known = keys.get(secret);
  if (known !== undefined) return known;
  const key = createSecretKey(secret.reveal().slice(SECRET_PREFIX.length), 'base64');
  keys.set(secret, key);
  return key;
}
