import type { FieldProblem } from './appError.ts';

/**
 * Checks for input that no caller may send, in any field: text that a store, a queue or another reader of the JSON
 * refuses or changes, and names that every object of the language has already. The check is made once, of the whole
 * request and before its schema, so that no route can forget it.
 */
const FORBIDDEN_NAMES: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);
/** The greatest depth of a request, deeper than any schema. */
const MOST_DEPTH = 32;
/**
 * The greatest number of problems in an answer. One is enough to correct a request; a body full of them is not repeated
 * in the answer.
 */
const MOST_PROBLEMS = 20;
/** The greatest length of a name that an answer repeats. */
const MOST_NAME = 100;

/** Code points that are not characters, for use inside programs: U+FDD0 to U+FDEF and the last two of each plane. */
const NONCHARACTER = /\p{Noncharacter_Code_Point}/u;

/** The problem of a text, or undefined. Emoji, right-to-left marks and control characters other than NUL are text. */
export function textProblem(text: string): string | undefined {
  if (!text.isWellFormed()) return 'has half a character (a lone surrogate). Send whole characters';
  if (text.includes('\0')) return 'has a NUL character, which cannot be stored';
  return NONCHARACTER.test(text) ? 'has a code point that is no character, such as U+FFFF' : undefined;
}

/** All problems of the texts and names in a parsed JSON value, each with its path; at most twenty. */
export function findInputProblems(value: unknown): readonly FieldProblem[] {
  const problems: FieldProblem[] = [];
  const waiting: { readonly value: unknown; readonly path: readonly string[] }[] = [{ value, path: [] }];
  for (let next = waiting.pop(); next !== undefined && problems.length < MOST_PROBLEMS; next = waiting.pop()) {
    const { value: part, path } = next;
    const problem = problemOf(part, path);
    if (problem !== undefined) problems.push({ field: fieldOf(path), problem });
    else if (typeof part === 'object' && part !== null) {
      for (const [name, inner] of Object.entries(part)) waiting.push({ value: inner, path: [...path, name] });
    }
  }
  return problems;
}

function problemOf(part: unknown, path: readonly string[]): string | undefined {
  const name = path.at(-1);
  if (name !== undefined && FORBIDDEN_NAMES.has(name)) return 'is a name that must not be used';
  if (name !== undefined && textProblem(name) !== undefined) return `has a name that ${textProblem(name)}`;
  if (path.length > MOST_DEPTH) return 'is nested too deeply';
  return typeof part === 'string' ? textProblem(part) : undefined;
}

/** The path of a field as an answer shows it: always text that every reader accepts, and never long. */
export function fieldOf(path: readonly string[]): string {
  const field = path.map((name) => (name.length > MOST_NAME ? `${name.slice(0, MOST_NAME)}…` : name)).join('.');
  return field === '' ? '(body)' : field.toWellFormed().replaceAll('\0', '\u{FFFD}');
}
