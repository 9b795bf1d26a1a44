import { readFileSync } from 'node:fs';

const RUNBOOK = new URL('../runbook.md', import.meta.url);

/** The headings of the sections of infra/runbook.md, in their order. */
export const runbookHeadings: readonly string[] = [...readFileSync(RUNBOOK, 'utf8').matchAll(/^## (.+)$/gm)].map(
  ([, heading]) => heading ?? '',
);

/** Throws an Error when the runbook has no section with this heading: an alarm would send a person nowhere. */
export function assertInRunbook(heading: string): void {
  if (!runbookHeadings.includes(heading)) throw new Error(`infra/runbook.md has no section "${heading}"`);
}
