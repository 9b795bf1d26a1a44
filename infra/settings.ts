import { z } from 'zod';

/** What can be set for a stage, as `cdk … -c stage=prod -c shardCount=16`. */
const settingsSchema = z.strictObject({
  stage: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,15}$/, 'must be 1 to 16 lower-case letters, digits and dashes, beginning with a letter')
    .default('dev'),
  /** Shards are only ever added: connections never move between them. */
  shardCount: z.coerce.number().int().min(1).max(5_000).default(16),
});
export type Settings = z.infer<typeof settingsSchema>;

/** Reads and checks the settings. Throws an Error that names the setting, the rule and the value received. */
export function parseSettings(values: Readonly<Record<string, unknown>>): Settings {
  const result = settingsSchema.safeParse(values);
  if (result.success) return result.data;
  const lines = result.error.issues.map((issue) => {
    const name = issue.path.join('.') || '(all)';
    return `  ${name}: ${issue.message} (received ${JSON.stringify(values[name])})`;
  });
  throw new Error(`The settings are not valid:\n${lines.join('\n')}`);
}
