import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

/**
 * How long product code may be. The linter measures: no file over 350 lines, no function over 50 but for those that are
 * excused where they stand. Here it is seen that it does, and that few are excused.
 */
const root = resolve(import.meta.dirname, '../..');
const MOST_EXCUSED = 8;
const EXCUSE =
  /oxlint-disable(?:-next-line|-line)? max-lines-per-function -- \S.*\n\s*(?:export )?(?:async )?function (\w+)/g;

const sources = ['shared', 'functions', 'worker', 'infra', 'ops', 'extension'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => [`${folder}/${name}`, readFileSync(join(root, folder, name), 'utf8')] as const),
);
const rulesOf = (text: string): readonly string[] =>
  [...text.matchAll(/oxlint-disable[\w-]* ([^\n]*?)(?: --|\*\/|\n|$)/g)].map(([, rules]) => rules?.trim() ?? '');

describe('product code', () => {
  it('has at most a handful of long functions, each of them a table and excused by name', () => {
    const excused = sources.flatMap(([file, text]) => [...text.matchAll(EXCUSE)].map(([, name]) => `${file} ${name}`));

    expect(excused.toSorted()).toEqual([
      'functions/routes/connections.ts connectionRoutes',
      'functions/routes/lifecycle.ts lifecycleRoutes',
      'functions/routes/messages.ts messageRoutes',
      'infra/dashboards/definitions.ts dashboardDefinitions',
      'infra/dashboards/objectives.ts objectivesOf',
    ]);
    expect(excused.length).toBeLessThanOrEqual(MOST_EXCUSED);
  });

  it('is excused from no other rule of size, and nowhere from the one against any', () => {
    const excuses = sources.flatMap(([file, text]) => rulesOf(text).map((rule) => `${rule} in ${file}`));

    expect(excuses.filter((excuse) => /max-lines(?!-per-function)|no-explicit-any/.test(excuse))).toEqual([]);
    // An excuse without a rule excuses from all of them.
    expect(excuses.filter((excuse) => excuse.startsWith(' in '))).toEqual([]);
  });

  it('is measured by the linter, in which these rules are errors', () => {
    const shown = execFileSync('node_modules/.bin/oxlint', ['--print-config'], { cwd: root, encoding: 'utf8' });
    const { rules } = JSON.parse(shown) as { readonly rules: Readonly<Record<string, unknown>> };

    expect(rules['max-lines']).toEqual(['deny', { max: 350 }]);
    expect(rules['max-lines-per-function']).toEqual(['deny', { max: 50, IIFEs: true }]);
    expect(rules['typescript/no-explicit-any']).toEqual('deny');
  });
});
