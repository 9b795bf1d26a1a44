import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { prepareLimits } from '../../../../functions/media/prepare/prepareLimits.ts';
import { prepareFaults } from '../../../../shared/media/prepareFaults.ts';
import { sentUses } from '../../../../shared/media/sentUse.ts';

const page = readFileSync(resolve(import.meta.dirname, '../../../../docs/conversion.md'), 'utf8');
const cellsOf = (first: string): readonly string[] =>
  (page.split('\n').find((line) => line.startsWith(`| \`${first}\` `)) ?? '').split('|').map((cell) => cell.trim());

describe('docs/conversion.md', () => {
  it.each(sentUses)('says what a %s may be at most', (as) => {
    const { bytes, seconds } = prepareLimits[as];
    const mib = (bytes / 1_048_576).toLocaleString('en-US');

    expect(cellsOf(as).at(-2)).toBe(seconds === 0 ? `${mib} MiB` : `${mib} MiB, ${seconds.toLocaleString('en-US')} s`);
  });

  it('says of each fault why', () => {
    const told = [...page.matchAll(/^\| `(\w+)` +\| (?!.*MiB)/gm)].map(([, code]) => code);

    expect(told).toEqual(Object.keys(prepareFaults));
  });
});
