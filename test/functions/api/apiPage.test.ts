import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { errorRules } from '../../../shared/kernel/errorRules.ts';
import { retentionSeconds } from '../../../shared/platform/expiry.ts';

const page = readFileSync(join(import.meta.dirname, '../../../docs/api.md'), 'utf8');
/** Cells of all rows of all tables. */
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

describe('docs/api.md', () => {
  it('lists every problem with its status, whether it passes, and its sentence', () => {
    const listed = rows.filter((row) => /^`[a-z_]+`$/.test(row[0] ?? '') && row.length === 4);

    const catalogue = Object.entries(errorRules).map(([code, { httpStatus, retry, sentence }]) => [
      `\`${code}\``,
      String(httpStatus),
      retry,
      sentence,
    ]);
    expect(listed).toEqual(catalogue);
  });

  it.each([
    ['messages, and what became of them', retentionSeconds.message],
    ['events', retentionSeconds.event],
    ['attempts to deliver to a webhook', retentionSeconds.attempt],
    ["that a message of WhatsApp's has been handled", retentionSeconds.handledFact],
  ])('says how long is kept: %s', (what, seconds) => {
    const [, kept] = rows.find(([name]) => name === what) ?? [];

    expect(kept?.split(':')[0]).toBe(`${seconds / 86_400} days`);
  });
});
