import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { citationsIn, faultOf } from './citations.ts';

describe('the search for citations', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-documents-'));
  const write = (path: string, text: string): void => {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  beforeAll(() => {
    write('docs/rules.md', '# Rules\n\n## The gate: when\n\n```\n# no heading\n```\n');
    write('worker/gate.ts', 'export {};\n');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const faultsIn = (from: string, text: string): readonly string[] =>
    citationsIn(from, text).flatMap((citation) => faultOf(folder, citation) ?? []);

  it.each([
    ['a comment with a page and a heading', 'worker/a.ts', '/** As docs/rules.md, "The gate: when", says. */'],
    ['a citation over two lines', 'worker/a.ts', '/**\n * As docs/rules.md,\n * "The gate: when", says.\n */'],
    ['a comment with a path', 'worker/a.ts', '// Like worker/gate.ts.'],
    ['a link with an anchor', 'docs/a.md', '[Rules](rules.md#the-gate-when)'],
    ['a link followed by a heading', 'docs/a.md', '([rules.md](rules.md), "The gate: when")'],
    ['a link up', 'docs/a.md', '[gate](../worker/gate.ts)'],
    ['a folder as code', 'docs/a.md', '`worker`, `docs/`'],
    ['a link to the web', 'docs/a.md', '[web](https://example.com/x.md#y)'],
  ])('lets %s pass', (_case, from, text) => {
    expect(faultsIn(from, text)).toEqual([]);
  });

  it.each([
    ['a page that is not there', 'worker/a.ts', '// See docs/other.md.'],
    ['a page by its name alone', 'worker/a.ts', '// See PROTOCOL.md.'],
    ['a heading that is not there', 'worker/a.ts', '/** docs/rules.md, "The fence" */'],
    ['a heading over two lines', 'worker/a.ts', '/**\n * (docs/rules.md, "The\n * fence")\n */'],
    ['the second of two headings', 'worker/a.ts', '// docs/rules.md, "The gate: when" and "The fence"'],
    ['a heading that is code', 'worker/a.ts', '// docs/rules.md, "no heading"'],
    ['a path that is not there', 'worker/a.ts', '// Like worker/fence.ts.'],
    ['a link that leads nowhere', 'docs/a.md', '[Rules](rule.md)'],
    ['an anchor that is not there', 'docs/a.md', '[Rules](rules.md#the-fence)'],
    ['a link out of the repository', 'docs/a.md', '[x](../../x.ts)'],
    ['a path as code', 'docs/a.md', '`worker/fence.ts`'],
  ])('finds %s', (_case, from, text) => {
    expect(faultsIn(from, text)).not.toEqual([]);
  });
});
