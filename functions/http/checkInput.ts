import type { z } from 'zod';
import { AppError } from '../../shared/kernel/appError.ts';
import { findInputProblems } from '../../shared/kernel/callerInput.ts';
import { sentenceOf, toFieldProblems } from './fieldProblems.ts';

/**
 * Checks a caller's input, and returns it as the schema accepts it. Throws `invalid_request` with the fields that are
 * wrong.
 */
export function checkInput(schema: z.ZodType, value: unknown, part: 'body' | 'query'): unknown {
  const unusable = findInputProblems(value);
  const result = unusable.length > 0 ? undefined : schema.safeParse(value, { error: sentenceOf, reportInput: true });
  if (result?.success === true) return result.data;
  const fields = result === undefined ? unusable : toFieldProblems(result.error);
  throw new AppError('invalid_request', {
    fields: part === 'body' ? fields : fields.map(({ field, problem }) => ({ field: `?${field}`, problem })),
  });
}
