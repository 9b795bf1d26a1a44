import { errorRules, type ErrorCode } from './errorRules.ts';

/** One field that is wrong, as a path in the body (`text.body`) or a header or parameter name. */
export interface FieldProblem {
  readonly field: string;
  readonly problem: string;
}

/** An operation cannot go on, and the caller may learn why. Expected outcomes are return values, not this error. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly detail: string | undefined;
  readonly fields: readonly FieldProblem[];
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: ErrorCode,
    options: {
      readonly detail?: string;
      readonly cause?: unknown;
      readonly fields?: readonly FieldProblem[];
      readonly retryAfterSeconds?: number;
    } = {},
  ) {
    super(options.detail ?? errorRules[code].sentence, { cause: options.cause });
    this.code = code;
    this.detail = options.detail;
    this.fields = options.fields ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
