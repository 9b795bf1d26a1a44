import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { quotaNames, quotaRows, type QuotaRow } from '../../../shared/platform/quotaRows.ts';

const page = readFileSync(resolve(import.meta.dirname, '../../../docs/limits.md'), 'utf8');
const rows = page
  .split('\n')
  .filter((line) => /^\| `\w+` +\|/.test(line))
  .map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );

/** The window of a rate, as people say it. */
const windows: Readonly<Record<number, string>> = { 10: '10 s', 60: '60 s', 3_600: 'an hour', 86_400: 'a day' };
function usually(row: QuotaRow): string {
  const number = row.usual.toLocaleString('en');
  if (row.kind === 'rate') return `${number} in ${windows[row.windowSeconds]}`;
  return row.of === 'connection' ? `${number} a connection` : number;
}

describe('docs/limits.md', () => {
  it('lists every quota with its number, what it counts, and its problem', () => {
    const known = quotaNames.map((name) => {
      const row: QuotaRow = quotaRows[name];
      return [`\`${name}\``, usually(row), row.sentence, `\`${row.code}\``];
    });

    expect(rows).toEqual(known);
  });
});
