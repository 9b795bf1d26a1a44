import { z } from 'zod';

/** The most headers of a tenant's own on a post, and how long their names and values may be. */
const MOST = 10;
const NAME = /^[a-z][a-z0-9-]{0,63}$/;
const VALUE = /^[\x20-\x7e]{1,1000}$/;

/** Beginnings of headers that are ours or belong to the connection: a receiver must be able to trust them. */
const OURS = ['webhook-', 'x-correlation-id', 'x-amzn-'];
const OF_THE_CONNECTION = new Set([
  'accept-encoding',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'cookie',
  'date',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
  'via',
]);

/** Headers that a tenant wants on each post, such as the key of a gateway in front of its receiver. */
export const headersSchema = z
  .record(z.string(), z.string())
  .refine((headers) => Object.keys(headers).length >= 1 && Object.keys(headers).length <= MOST, {
    error: `must have 1 to ${MOST} headers`,
  })
  .refine((headers) => Object.keys(headers).every(isFree), {
    error:
      "has a name that is not lower-case letters, digits and dashes, or that is ours or the connection's, such as webhook-id or content-type",
  })
  .refine((headers) => Object.values(headers).every((value) => VALUE.test(value)), {
    error: 'has a value that is not 1 to 1,000 visible ASCII characters',
  })
  .meta({
    description: `Headers for each post, ${MOST} at most, with names in lower case. Their values are not shown again.`,
    example: { authorization: 'Bearer 0123456789' },
  });

function isFree(name: string): boolean {
  return NAME.test(name) && !OF_THE_CONNECTION.has(name) && !OURS.some((beginning) => name.startsWith(beginning));
}

/** The names of headers, with values that tell nothing: they may be keys. */
export function withoutValues(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.keys(headers).map((name) => [name, '…']));
}
