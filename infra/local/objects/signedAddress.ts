import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { percentEncoded } from '../../../shared/media/offeredFile.ts';

/**
 * Checks the signature of an address as S3 does. Source: Amazon S3 API Reference, "Authenticating Requests: Using Query
 * Parameters (AWS Signature Version 4)". On this machine an address must end, and must not be changed, as on AWS:
 * whoever tries the product here would otherwise learn the difference there.
 */
export interface AskedAddress {
  readonly method: string;
  /** The path as it came, escapes and all. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
}

/** Why an address is refused, by S3's own names; undefined when it is good. */
export type AddressFault =
  'AccessDenied' | 'ExpiredAddress' | 'SignatureDoesNotMatch' | 'AuthorizationQueryParametersError';

const ALGORITHM = 'AWS4-HMAC-SHA256';
const LONGEST_SECONDS = 604_800;
/** How far ahead the clock of the signer may be, in milliseconds. */
const SKEW_MS = 15 * 60_000;

/**
 * Judges a signed address.
 * @param secretOf the secret of an access key; undefined when there is no such key
 */
export function findAddressFault(
  asked: AskedAddress,
  secretOf: (accessKeyId: string) => string | undefined,
  nowMs: number,
): AddressFault | undefined {
  const { query } = asked;
  if (query.get('X-Amz-Signature') === null) return 'AccessDenied';
  const [accessKeyId = '', day = '', region = '', service = '', end] = (query.get('X-Amz-Credential') ?? '').split('/');
  const date = query.get('X-Amz-Date') ?? '';
  const expires = Number(query.get('X-Amz-Expires'));
  const signedAtMs = timeOf(date);
  const isWhole =
    query.get('X-Amz-Algorithm') === ALGORITHM &&
    end === 'aws4_request' &&
    service === 's3' &&
    signedAtMs !== undefined &&
    date.startsWith(day) &&
    Number.isInteger(expires) &&
    expires > 0 &&
    expires <= LONGEST_SECONDS;
  if (!isWhole) return 'AuthorizationQueryParametersError';
  const secret = secretOf(accessKeyId);
  if (secret === undefined) return 'AccessDenied';
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secret}`);
  const text = [ALGORITHM, date, `${day}/${region}/${service}/aws4_request`, hashOf(canonical(asked))].join('\n');
  if (!isSame(hmac(key, text).toString('hex'), query.get('X-Amz-Signature') ?? '')) return 'SignatureDoesNotMatch';
  if (hasUnsignedHeader(asked)) return 'AccessDenied';
  return nowMs < signedAtMs - SKEW_MS || nowMs >= signedAtMs + expires * 1_000 ? 'ExpiredAddress' : undefined;
}

function canonical({ method, path, query, headers }: AskedAddress): string {
  const parameters = [...query]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => `${percentEncoded(name)}=${percentEncoded(value)}`)
    .sort();
  const signed = (query.get('X-Amz-SignedHeaders') ?? '').split(';');
  const lines = signed.map((name) => `${name}:${[headers[name]].flat().join(',').trim()}\n`);
  const body = query.get('X-Amz-Content-Sha256') ?? 'UNSIGNED-PAYLOAD';
  return [method, path, parameters.join('&'), lines.join(''), signed.join(';'), body].join('\n');
}

/** S3's own headers say what is done, so one that is not signed is refused. */
function hasUnsignedHeader({ query, headers }: AskedAddress): boolean {
  const signed = (query.get('X-Amz-SignedHeaders') ?? '').split(';');
  return Object.keys(headers).some((name) => name.startsWith('x-amz-') && !signed.includes(name));
}

/** The time that `20261129T201500Z` says. */
function timeOf(date: string): number | undefined {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date) ?? [];
  if (year === undefined) return undefined;
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(ms) ? undefined : ms;
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
