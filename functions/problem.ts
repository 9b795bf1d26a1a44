import { z } from 'zod';
import { AppError, errorRules, type ErrorCode, type FieldProblem } from '../shared/kernel/appError.ts';
import { TimeoutError } from '../shared/kernel/deadline.ts';
import type { CorrelationId } from '../shared/kernel/id.ts';
import { BreakerOpenError } from '../shared/platform/breaker.ts';
import type { Answer } from './route.ts';

/** An error answer: RFC 9457, with a stable code that clients key on. */
export const problemSchema = z
  .object({
    type: z.string().meta({ description: 'about:blank: the code says what happened.' }),
    title: z.string(),
    status: z.number().int(),
    code: z.enum(Object.keys(errorRules) as [ErrorCode, ...ErrorCode[]]),
    detail: z.string().meta({ description: 'What happened and what to do about it.' }),
    correlationId: z.string(),
    fields: z.array(z.object({ field: z.string(), problem: z.string() })).optional(),
  })
  .meta({ id: 'Problem' });

/** Failures of stores that pass: worth the same request again. */
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

/** What an error means for the caller. Anything that is not expected is `internal_error`: a bug, to be logged by the caller. */
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

/** The only mapper of errors to HTTP. */
export function toProblem(error: AppError, correlationId: CorrelationId): Answer {
  const rule = errorRules[error.code];
  const json: z.infer<typeof problemSchema> = {
    type: 'about:blank',
    title: error.code.replaceAll('_', ' '),
    status: rule.httpStatus,
    code: error.code,
    detail: error.detail ?? rule.sentence,
    correlationId,
    ...(error.fields.length === 0 ? {} : { fields: [...error.fields] }),
  };
  const retryAfter = error.retryAfterSeconds ?? (rule.httpStatus === 503 ? 2 : undefined);
  return {
    status: rule.httpStatus,
    bytes: { contentType: 'application/problem+json', content: Buffer.from(JSON.stringify(json)) },
    ...(retryAfter === undefined ? {} : { headers: { 'retry-after': String(retryAfter) } }),
  };
}

/** The fields that a schema refuses, each with what is wrong about it. */
export function toFieldProblems(error: z.ZodError): readonly FieldProblem[] {
  return error.issues.flatMap((issue) => {
    const path = issue.path.map(String);
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ field: [...path, key].join('.'), problem: 'There is no such field.' }));
    }
    return [{ field: path.join('.') || '(body)', problem: issue.message }];
  });
}
