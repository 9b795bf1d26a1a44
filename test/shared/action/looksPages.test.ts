import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { actionRows } from '../../../shared/action/actionKinds.ts';
import type { ActionRow } from '../../../shared/action/actionRow.ts';
import { privacyNames, privacyValues } from '../../../shared/action/kinds/profile.ts';

const rows = actionRows as readonly unknown[] as readonly ActionRow[];
const pages = [
  ['profile', /^(?:contact_|block_|profile_|privacy_)/],
  ['channels', /^channel_/],
] as const;
const pageOf = (name: string): string => readFileSync(join(import.meta.dirname, '../../../docs', `${name}.md`), 'utf8');

describe.each(pages)('the page of %s', (name, kinds) => {
  const page = pageOf(name);

  it('shows routes that there are, all of which may be asked for twice', () => {
    const shown = [...page.matchAll(/^\| `(GET|POST) …\/([^`]+)`/gm)];

    expect(shown.length).toBeGreaterThan(4);
    for (const [, method, path] of shown) {
      expect(rows.filter((row) => row.method === method && row.path === path)).toHaveLength(1);
    }
    const others = rows.filter(({ kind }) => kinds.test(kind) && !kind.includes('picture'));
    expect(others.map(({ effect }) => effect).filter((effect) => effect !== 'repeatable')).toEqual([]);
  });

  it('leaves no action out: each has a row, or its last word stands in one', () => {
    const missing = rows
      .filter(({ kind }) => kinds.test(kind))
      .filter(({ path }) => !page.includes(`…/${path}\``) && !page.includes(`\`${path.split('/').at(-1) ?? ''}\``))
      .filter(({ path }) => !page.includes(`…/${path.split('/').slice(1).join('/')}`));

    expect(missing.map(({ kind }) => kind)).toEqual([]);
  });
});

describe('docs/profile.md', () => {
  it('names each privacy setting with its values', () => {
    const page = pageOf('profile');

    for (const name of privacyNames) {
      const row = page.split('\n').find((line) => line.startsWith(`| \`${name}\``)) ?? '';
      const values = [...(row.split('|')[2] ?? '').matchAll(/`([a-z_]+)`/g)].map(([, value]) => value);
      expect([name, values]).toEqual([name, [...privacyValues[name]]]);
    }
  });
});
