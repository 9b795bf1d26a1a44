import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { errorRules } from '../../../shared/kernel/errorRules.ts';
import { retentionSeconds } from '../../../shared/platform/expiry.ts';

/** Cells of all rows of all tables of a page. */
const rowsOf = (page: URL) =>
  readFileSync(page, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
const rows = rowsOf(new URL('../../../docs/api.md', import.meta.url));
const kept = rowsOf(new URL('../../../docs/limits.md', import.meta.url));

describe('docs/api.md and docs/limits.md', () => {
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
    const [, time] = kept.find(([name]) => name === what) ?? [];

    expect(time?.split(':')[0]).toBe(`${seconds / 86_400} days`);
  });
});
