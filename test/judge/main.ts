/**
 * `npm run judge [-- --fetch] [NAME …]`: tools that share no code with us look at what we made. Each is skipped with one
 * sentence where its tool is missing; the end says which ran, and the exit code is 1 when one objects. `--fetch` brings those
 * that packages of npm carry, into `node_modules/.cache`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { controlTower } from './controlTower.ts';
import { demoOnDynamoDbLocal, storesOnDynamoDbLocal } from './dynamoDbLocal.ts';
import { image } from './image.ts';
import { mediaImage } from './mediaImage.ts';
import type { Judge, Judgement } from './judgement.ts';
import { cdkNag, cfnLint } from './templates.ts';

const judges: readonly Judge[] = [
  cdkNag,
  cfnLint,
  controlTower,
  demoOnDynamoDbLocal,
  storesOnDynamoDbLocal,
  image,
  mediaImage,
];
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const { values, positionals } = parseArgs({
  options: { fetch: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const unknown = positionals.filter((name) => judges.every((judge) => judge.name !== name));
if (unknown.length > 0) {
  process.stderr.write(
    `There is no judge ${unknown.join(', ')}. These are: ${judges.map(({ name }) => name).join(', ')}\n`,
  );
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'holdfast-judge-'));
const judgements: (readonly [name: string, judgement: Judgement, seconds: number])[] = [];
try {
  for (const judge of judges.filter(({ name }) => positionals.length === 0 || positionals.includes(name))) {
    say(`${judge.name}: ${judge.what}`);
    const startedMs = performance.now();
    const judgement = await judge
      .run({ folder, mayFetch: values.fetch, say })
      .catch((error: unknown): Judgement => ({ verdict: 'OBJECTS', figures: `could not judge: ${String(error)}` }));
    judgements.push([judge.name, judgement, (performance.now() - startedMs) / 1_000]);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

say('');
for (const [name, judgement, seconds] of judgements) {
  const said = judgement.verdict === 'skipped' ? judgement.because : judgement.figures;
  say(`${name.padEnd(16)}${judgement.verdict.padEnd(9)}${seconds.toFixed(0).padStart(5)} s  ${said}`);
}
process.exitCode = judgements.some(([, { verdict }]) => verdict === 'OBJECTS') ? 1 : 0;
