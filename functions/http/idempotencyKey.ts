import { AppError } from '../../shared/kernel/appError.ts';

/** An idempotency key: visible ASCII, as a header can carry it. */
const IDEMPOTENCY_KEY = /^[\u0021-\u007e]{1,128}$/;

/** The key that the caller chose, if any. Throws `idempotency_key_invalid`. */
export function readIdempotencyKey(headers: Readonly<Record<string, string | undefined>>): string | undefined {
  const key = headers['idempotency-key'];
  if (key !== undefined && !IDEMPOTENCY_KEY.test(key)) throw new AppError('idempotency_key_invalid');
  return key;
}
