import { AppError } from './appError.ts';
import type { ErrorCode } from './errorRules.ts';

/**
 * The error of a level that is reached: when to come again, or that there is nothing to wait for where none is allowed at all.
 * @param most how many there may be at one time
 */
export function noRoom(code: ErrorCode, most: number, retryAfterSeconds: number): AppError {
  if (most > 0) return new AppError(code, { retryAfterSeconds });
  return new AppError(code, {
    detail: 'This tenant may have none of these, so waiting does not help. Ask the operator.',
  });
}
