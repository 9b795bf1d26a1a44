/**
 * `npm test`, and the same as `npm run check`: types, lint and format side by side, then all tests. The output of the tests is
 * searched for secrets: libraries print keys if nobody watches them.
 *
 * `npm test -- worker/socket` runs only the tests of a folder or file: what is named is the part of the product or of
 * `test/`, and flags go to vitest. Proofs are not among them (`npm run prove`).
 */
import { findSecrets } from '../test/quiet/findSecrets.ts';
import { runCommand } from './runCommand.ts';

if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(
    `Node 24 or newer is needed, this is ${process.version}. Run it through npm (npm test, npm start): npm ci brings Node 24 along.\n`,
  );
  process.exit(1);
}

type Step = readonly [name: string, command: string, ...args: string[]];

const sources: readonly Step[] = [
  // One program knows the types for both: `npm run types` is for an editor, and for who wants them alone.
  ['types and lint', 'oxlint', '--type-aware', '--type-check', '--deny-warnings'],
  // Files that were in form are not looked at again until they change.
  ['format', 'prettier', '--check', '--cache', '--cache-strategy', 'content', '--log-level', 'warn', '.'],
];
const named = process.argv.slice(2);

if (named.length === 0) {
  const failed = (await Promise.all(sources.map((step) => runStep(step, false)))).filter((name) => name !== undefined);
  if (failed.length > 0) process.exit(1);
  if ((await runStep(['tests', 'vitest', 'run'], true)) !== undefined) process.exit(1);
} else {
  const filters = named.map(toFilter);
  process.stdout.write(
    `check: only the tests of ${filters.join(' ')}; types, lint, format and all other tests: npm test\n`,
  );
  if ((await runStep(['tests', 'vitest', 'run', ...filters], true)) !== undefined) process.exit(1);
}

/** The filter that finds the tests of a part: those of `worker/socket` are below `test/`. Flags stay as they are. */
function toFilter(argument: string): string {
  if (argument.startsWith('-')) return argument;
  const path = argument.replace(/^\.\//, '');
  const isPart = /^(?:shared|worker|functions|infra|ops)(?:\/|$)/.test(path);
  return `${isPart ? 'test/' : ''}${path.replace(/(?<!\.test|\.prove)\.ts$/, '')}`;
}

/** @returns the name of the step if it failed, after saying so */
async function runStep([name, command, ...args]: Step, show: boolean): Promise<string | undefined> {
  const startedMs = performance.now();
  const { code, printed } = await runCommand(command, args, show);
  if (code !== 0 && !show) process.stdout.write(printed);
  const findings = findSecrets(printed);
  for (const { kind, line } of findings) process.stderr.write(`check: ${name} printed a ${kind} in line ${line}\n`);
  if (code !== 0 || findings.length > 0) {
    process.stderr.write(`check: ${name} failed\n`);
    return name;
  }
  process.stdout.write(`check: ${name} passed in ${((performance.now() - startedMs) / 1_000).toFixed(1)} s\n`);
  return undefined;
}
