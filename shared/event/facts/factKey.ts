import { createHash } from 'node:crypto';

/** The name of a fact by what makes it unique: the same parts always give the same 40 characters. */
export function digest(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 40);
}
