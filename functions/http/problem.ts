import { z } from 'zod';
import { AppError } from '../../shared/kernel/appError.ts';
import { errorRules, type ErrorCode } from '../../shared/kernel/errorRules.ts';
import { TimeoutError } from '../../shared/kernel/deadline.ts';
import type { CorrelationId } from '../../shared/kernel/id.ts';
import { BreakerOpenError } from '../../shared/platform/breaker.ts';
import type { Answer } from './route.ts';

/** An error answer: RFC 9457, with a stable code that clients key on. */
export const problemSchema = z
  .object({
    type: z.string().meta({
      description: 'The kind of problem, as the path at which this API says what it means and what to do about it.',
      example: '/problems/connection_not_found',
    }),
    title: z.string().meta({ description: 'What happened, for a person; the same for each problem of this code.' }),
    status: z.number().int(),
    code: z.enum(Object.keys(errorRules) as [ErrorCode, ...ErrorCode[]]),
    detail: z.string().meta({ description: 'What happened and what to do about it.' }),
    correlationId: z.string(),
    fields: z.array(z.object({ field: z.string(), problem: z.string() })).optional(),
  })
  .meta({ id: 'Problem' });

/** Failures of stores that pass, so that the same request is worth another try. */
const PASSING = new Set([
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'RequestLimitExceeded',
  'TransactionConflictException',
  'InternalServerError',
  'ServiceUnavailable',
  'TimeoutError',
  'AbortError',
  'ECONNREFUSED',
  'ECONNRESET',
]);

/**
 * The meaning of an error for the caller. Any error that is not expected is `internal_error`: a bug, to be logged by
 * the caller of this function.
 */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const { name, code } =
    error instanceof Error ? (error as Error & { readonly code?: string }) : { name: '', code: '' };
  if (error instanceof BreakerOpenError) {
    const retryAfterSeconds = Math.max(1, Math.ceil(error.retryAfterMs / 1_000));
    return new AppError('store_unavailable', { cause: error, retryAfterSeconds });
  }
  if (error instanceof TimeoutError || PASSING.has(name) || PASSING.has(code ?? '')) {
    return new AppError('store_unavailable', { cause: error, retryAfterSeconds: 2 });
  }
  return new AppError('internal_error', { cause: error });
}

/** The only function that turns errors into HTTP answers. */
export function toProblem(error: AppError, correlationId: CorrelationId): Answer {
  const rule = errorRules[error.code];
  const json: z.infer<typeof problemSchema> = {
    type: problemTypeOf(error.code),
    title: titleOf(rule.sentence),
    status: rule.httpStatus,
    code: error.code,
    detail: error.detail ?? rule.sentence,
    correlationId,
    ...(error.fields.length === 0 ? {} : { fields: [...error.fields] }),
  };
  const retryAfter = error.retryAfterSeconds ?? (rule.httpStatus === 503 ? 2 : undefined);
  const headers = {
    ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
    ...(rule.httpStatus === 401 ? { 'www-authenticate': 'Bearer realm="holdfast"' } : {}),
  };
  return {
    status: rule.httpStatus,
    bytes: { contentType: 'application/problem+json', content: Buffer.from(JSON.stringify(json)) },
    headers,
  };
}

/** What names a kind of problem: a reference, relative to the address of the API, that can be read. */
export function problemTypeOf(code: ErrorCode): string {
  return `/problems/${code}`;
}

/** The title of a problem: its first sentence, which says what happened. The other sentences say what to do. */
export function titleOf(sentence: string): string {
  return sentence.split('. ')[0]?.replace(/\.$/, '') ?? sentence;
}
