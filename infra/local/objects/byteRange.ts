import type { IncomingHttpHeaders } from 'node:http';

/**
 * The bytes that a reader asks for, as S3 reads the header: undefined when it asks for all, or for several ranges, which
 * S3 answers with all; `beyond` when there is no byte of them.
 */
export function findByteRange(
  { range, 'if-range': ifRange }: IncomingHttpHeaders,
  { bytes, etag }: { readonly bytes: number; readonly etag: string },
): { readonly from: number; readonly to: number } | 'beyond' | undefined {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(range ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined;
  // What the reader has is of another object.
  if (ifRange !== undefined && ifRange !== etag) return undefined;
  const from = first === '' ? Math.max(0, bytes - Number(last)) : Number(first);
  const to = first === '' || last === '' ? bytes - 1 : Math.min(Number(last), bytes - 1);
  if (first !== '' && last !== '' && Number(last) < from) return undefined;
  return from > to ? 'beyond' : { from, to };
}
