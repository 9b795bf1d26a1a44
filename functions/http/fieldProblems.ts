import type { z } from 'zod';
import { fieldOf } from '../../shared/kernel/callerInput.ts';
import type { FieldProblem } from '../../shared/kernel/appError.ts';

/** The problem of a value, in words for the person who wrote the request. A schema's own words come first. */
export function sentenceOf(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.input === undefined) return 'is missing';
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${typeNames[String(issue.expected)] ?? String(issue.expected)}`;
    case 'too_big':
      return issue.origin === 'string' ? `at most ${issue.maximum} characters` : `at most ${issue.maximum}`;
    case 'too_small':
      if (issue.origin !== 'string') return `at least ${issue.minimum}`;
      return Number(issue.minimum) === 1 ? 'must not be empty' : `at least ${issue.minimum} characters`;
    case 'invalid_value':
      return `must be ${issue.values.map(String).join(' or ')}`;
    case 'invalid_union':
      return choiceOf(issue);
    default:
      return undefined;
  }
}

/** The field that tells which of several kinds an object is. */
function choiceOf({ discriminator, options, input }: z.core.$ZodRawIssue<z.core.$ZodIssueInvalidUnion>): string {
  const chosen = discriminator === undefined ? undefined : (input as Readonly<Record<string, unknown>>)[discriminator];
  if (discriminator !== undefined && chosen === undefined) return 'is missing';
  return `must be ${(options as readonly unknown[] | undefined)?.map(String).join(' or ') ?? 'one of the kinds that are described'}`;
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

/** The greatest number of problems in an answer: enough to correct a request, and no answer grows with the request. */
const MOST_PROBLEMS = 20;

/** The first fields that a schema refuses, each with the reason. */
export function toFieldProblems(error: z.ZodError): readonly FieldProblem[] {
  const problems = error.issues.slice(0, MOST_PROBLEMS).flatMap((issue) => {
    const path = issue.path.map(String);
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ field: fieldOf([...path, key]), problem: 'There is no such field.' }));
    }
    const problem = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
    return [{ field: fieldOf(path), problem }];
  });
  return problems.slice(0, MOST_PROBLEMS);
}
