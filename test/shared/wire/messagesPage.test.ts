import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { describe, expect, it } from 'vitest';
import { bookkeeping, messageFields, wrappers } from '../../../shared/wire/messageFields.ts';
import { protocolTypes } from '../../../shared/wire/protocolTypes.ts';
import { shownBy, type Cell } from './kindCells.ts';
import { kindCells, kindsSection, otherKindsSection } from './kindsTable.ts';

/** Cells of the tables, without the spaces that make them even. */
const root = join(import.meta.dirname, '../../..');
const path = join(root, 'docs/messages.md');
const page = ['messages', 'wire']
  .map((name) => readFileSync(join(root, `docs/${name}.md`), 'utf8').replaceAll(/ *\| */g, '|'))
  .join('\n');
const missing = (rows: readonly string[]): readonly string[] => rows.filter((row) => !page.includes(row));

describe('docs/messages.md', () => {
  it('has every wrapper with its flag', () => {
    const rows = [...wrappers].map(
      ([number, { flag }]) => `|\`${messageFields[number]}\`|${number}|${flag === undefined ? '' : `\`${flag}\`|`}`,
    );

    expect(missing(rows)).toEqual([]);
  });

  it('has every field of bookkeeping with the reason', () => {
    const fields = Object.entries(bookkeeping).map(
      ([number, reason]) => `|\`${messageFields[Number(number)]}\`|${number}|${reason}|`,
    );
    const types = Object.entries(protocolTypes).map(([type, known]) =>
      'told' in known ? `\`${known.told}\` (${type})` : `|${type}|${known.bookkeeping}|`,
    );

    expect(missing([...fields, ...types])).toEqual([]);
  });

  it('has every kind, with a form or without, as the rows have it (run this file with -u)', async () => {
    const whole = readFileSync(path, 'utf8');
    const sections = [...kindsSection(), ...otherKindsSection()].join('\n');
    const text = whole.replace(/^## Kinds with a form\n.*?(?=^What people do to chats)/ms, () => `${sections}\n`);

    expect(text).toContain('| `image` |');
    await expect(await format(text, { ...(await resolveConfig(path)), parser: 'markdown' })).toMatchFileSnapshot(path);
  });

  it('says in no cell what no test shows', async () => {
    const titles = await titlesIn([...new Set(Object.values(shownBy).map(({ file }) => file))]);
    const cells = kindCells().flatMap(([type, all]) =>
      Object.values(all).flatMap((cell: Cell) =>
        cell.map(([, by]) => `${shownBy[by].file}: ${shownBy[by].title(type)}`),
      ),
    );

    expect(cells.length).toBeGreaterThan(200);
    expect(cells.filter((cell) => !titles.has(cell))).toEqual([]);
  });
});

/** The tests that would run in some files, each as `file: suite > title`. */
async function titlesIn(files: readonly string[]): Promise<ReadonlySet<string>> {
  const proofs = files.filter((file) => file.endsWith('.prove.ts'));
  const tests = files.filter((file) => !proofs.includes(file));
  const found = await Promise.all([listed('vitest.config.ts', tests), listed('vitest.prove.config.ts', proofs)]);
  return new Set(found.flat());
}

/** The tests of files of one configuration: vitest runs the files as far as their titles. */
async function listed(config: string, files: readonly string[]): Promise<readonly string[]> {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST')));
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [vitest, 'list', '--config', config, '--no-staticParse', ...files, '--json'],
    { cwd: root, env, maxBuffer: 64 * 1_024 * 1_024, timeout: 50_000 },
  );
  const found = JSON.parse(stdout.slice(stdout.indexOf('['))) as readonly {
    readonly name: string;
    readonly file: string;
  }[];
  return found.map(({ name, file }) => `${relative(root, file).replaceAll('\\', '/')}: ${name}`);
}
