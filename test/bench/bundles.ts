/**
 * `npm run bench:bundles -- [--runs 15]`: size of each Lambda bundle, and how long its import takes in a new process. A
 * function with 1,769 MB has one whole processor, as a process here has; with less memory it takes longer in proportion.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundleFunctions } from '../../scripts/bundleFunctions.ts';
import { importBundle } from './importBundle.ts';

const { values } = parseArgs({ options: { runs: { type: 'string', default: '15' } } });
const runs = Number(values.runs);
if (!Number.isInteger(runs) || runs < 1 || runs > 1_000) {
  process.stderr.write('--runs must be a whole number from 1 to 1000.\n');
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'holdfast-bundles-'));
try {
  const bundles = await bundleFunctions(folder);
  const times = new Map<string, number[]>(bundles.map(({ name }) => [name, []]));
  // Round by round, so that a busy moment of the machine does not fall on one of them alone.
  for (let round = 0; round < runs; round += 1) {
    for (const { name, file } of bundles) times.get(name)?.push((await importBundle(file)).importMs);
  }
  process.stdout.write(`${'bundle'.padEnd(12)}       kB   import ms: median    worst   of ${runs}\n`);
  for (const { name, bytes } of bundles) {
    const sorted = (times.get(name) ?? []).sort((left, right) => left - right);
    const [median = 0, worst = 0] = [sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
    const cells = [
      (bytes / 1_000).toFixed(0).padStart(9),
      median.toFixed(0).padStart(20),
      worst.toFixed(0).padStart(9),
    ];
    process.stdout.write(`${name.padEnd(12)}${cells.join('')}\n`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
