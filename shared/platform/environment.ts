import type { z } from 'zod';

/** Variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads settings from an environment. An empty variable counts as absent. Throws an Error that names each variable
 * which is wrong, the rule and the value received, and each variable that is refused because nothing knows it.
 */
export function parseEnvironment<Schema extends z.ZodType>(
  schema: Schema,
  environment: Environment,
  isUnknown: (name: string) => boolean,
): z.infer<Schema> {
  const cleaned = Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [name, value === '' ? undefined : value]),
  );
  const result = schema.safeParse(cleaned);
  const problems = [
    ...Object.keys(environment)
      .filter(isUnknown)
      .map((name) => `${name}: there is no such setting`),
    ...(result.success ? [] : result.error.issues.map((issue) => describe(issue, cleaned))),
  ];
  if (problems.length > 0 || !result.success) {
    throw new Error(`The configuration is not valid:\n${problems.map((line) => `  ${line}`).join('\n')}`);
  }
  return result.data;
}

function describe(issue: z.core.$ZodIssue, environment: Environment): string {
  const name = String(issue.path[0] ?? '(all)');
  const received = environment[name];
  const shown = received === undefined ? 'nothing' : JSON.stringify(received);
  return `${name}: ${issue.message} (received ${shown})`;
}
