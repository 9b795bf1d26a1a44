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
      return `at most ${issue.maximum}${unitOf(issue.origin, issue.maximum)}`;
    case 'too_small':
      if (issue.origin === 'string' && Number(issue.minimum) === 1) return 'must not be empty';
      return `at least ${issue.minimum}${unitOf(issue.origin, issue.minimum)}`;
    case 'invalid_format':
      return formats[issue.format] ?? 'has another form than this field has in /v1/openapi.json';
    case 'invalid_value':
      return `must be ${issue.values.map(String).join(' or ')}`;
    case 'invalid_union':
      return choiceOf(issue);
    default:
      return undefined;
  }
}

function unitOf(origin: string, count: number | bigint): string {
  if (origin === 'string') return ' characters';
  if (origin !== 'array') return '';
  return Number(count) === 1 ? ' entry' : ' entries';
}

/** What a text of a form must be, in words. */
const formats: Readonly<Record<string, string>> = {
  datetime: 'must be a time in ISO 8601 with its offset, like 2026-12-24T18:00:00Z',
  date: 'must be a day, like 2026-12-24',
  url: 'must be an address on the internet, like https://example.com/page',
  email: 'must be an address of mail, like ada@example.com',
};

/** The field that tells which of several kinds an object is; for a choice of values, which they are. */
function choiceOf({
  discriminator,
  options,
  input,
  errors,
}: z.core.$ZodRawIssue<z.core.$ZodIssueInvalidUnion>): string {
  const chosen = discriminator === undefined ? undefined : (input as Readonly<Record<string, unknown>>)[discriminator];
  if (discriminator !== undefined && chosen === undefined) return 'is missing';
  const issues = (errors ?? []).flat();
  const values = issues.flatMap((issue) => (issue.code === 'invalid_value' ? issue.values : []));
  const choice = (options as readonly unknown[] | undefined) ?? (values.length === issues.length ? values : []);
  return `must be ${choice.length === 0 ? 'one of the kinds that are described' : choice.map(String).join(' or ')}`;
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
  // Two rules of a field may say the same.
  const told = new Map(problems.map((one) => [`${one.field}\n${one.problem}`, one]));
  return [...told.values()].slice(0, MOST_PROBLEMS);
}
