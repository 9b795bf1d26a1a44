import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

/** What many files need and one file says. A new file is covered by being there. */
const root = resolve(import.meta.dirname, '../..');
const sources = ['shared', 'functions', 'worker', 'infra', 'ops', 'extension'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .map((file) => [file, readFileSync(join(root, file), 'utf8')] as const),
);
const filesWith = (pattern: RegExp): readonly string[] =>
  sources.filter(([, text]) => pattern.test(text)).map(([file]) => file);

describe('what is said once', () => {
  it('is time, chance, log and metrics as arguments', () => {
    const declared = filesWith(/^ {2}readonly (?:clock: Clock|random: Random|logger: Logger|metrics: Metrics);$/m);

    // The metrics themselves are below the surroundings, of which they are one.
    expect(declared).toEqual(['shared/platform/metrics.ts', 'shared/platform/surroundings.ts']);
  });

  it('is the condition that fences an owner', () => {
    expect(filesWith(/(?:token|epoch|fence)\w* <= :/i)).toEqual(['shared/platform/fence.ts']);
  });
});
