import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

/**
 * A test must pass while something else keeps the cores busy. Each wait therefore has the patience of
 * `test/eventually.ts`, of `until` or of `expect.poll`, and each test the limit of the configuration: what is written beside a test can
 * only be longer. A new test is covered by being there.
 */
const folder = resolve(import.meta.dirname, '..');
const THE_WAIT = 'eventually.ts';
const SHORTEST_LIMIT_MS = 120_000;
const SHORTEST_WAIT_MS = 60_000;

const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .map((name) => name.replaceAll('\\', '/'))
  .filter((name) => name.endsWith('.ts') && name !== THE_WAIT && name !== 'architecture/patience.test.ts')
  .map((name) => [name, readFileSync(`${folder}/${name}`, 'utf8')] as const);

/** The numbers that a pattern finds in tests and are below a limit, with their files. */
const below = (pattern: RegExp, limitMs: number, files = sources): readonly string[] =>
  files.flatMap(([name, text]) =>
    [...text.matchAll(pattern)]
      .map(([, digits]) => Number((digits ?? '').replaceAll('_', '')))
      .filter((limit) => limit >= 1_000 && limit < limitMs)
      .map((limit) => `${name}: ${limit} ms`),
  );

describe('the patience of tests', () => {
  it('is the one of `eventually` for assertions that hold after a while', () => {
    const waits = sources.filter(([, text]) => /\bvi\.wait(?:For|Until)\(/.test(text));

    expect(waits.map(([name]) => name)).toEqual([]);
  });

  it('is not shortened for a test, a hook or a group of them', () => {
    const tests = sources.filter(([name]) => /\.(?:test|prove)\.ts$|Cases\.ts$/.test(name));

    expect(below(/^\s*\}, ([\d_]+)\);$/gm, SHORTEST_LIMIT_MS, tests)).toEqual([]);
    expect(below(/\b(?:before|after)(?:All|Each)\(.*, ([\d_]+)\);$/gm, SHORTEST_LIMIT_MS, tests)).toEqual([]);
    expect(below(/^\s*\},\n\s*([\d_]+),\n\s*\);$/gm, SHORTEST_LIMIT_MS, tests)).toEqual([]);
    expect(below(/[`'"], \{ timeout: ([\d_]+) \}, (?:async )?\(/g, SHORTEST_LIMIT_MS, tests)).toEqual([]);
  });

  it('is not shortened for a wait', () => {
    expect(below(/\bexpect\.poll\([^;]*timeout: ([\d_]+)/g, SHORTEST_WAIT_MS)).toEqual([]);
    expect(below(/\buntil\(.*, ([\d_]+)\)/g, SHORTEST_WAIT_MS)).toEqual([]);
    expect(below(/\buntil\(\n(?:[^;]*\n)\s*([\d_]+),\n\s*\)/g, SHORTEST_WAIT_MS)).toEqual([]);
  });
});
