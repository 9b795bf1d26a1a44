/** All checks, in the order in which they fail fastest: `npm run check`, and the same for `npm test`. */
import { spawnSync } from 'node:child_process';

if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(
    `Node 24 or newer is needed, this is ${process.version}. Run it through npm (npm test, npm start): npm ci brings Node 24 along.\n`,
  );
  process.exit(1);
}

const steps: readonly (readonly [name: string, command: string, ...args: string[]])[] = [
  ['types', 'tsc', '--noEmit'],
  ['lint', 'oxlint', '--type-aware', '--deny-warnings'],
  ['format', 'prettier', '--check', '--log-level', 'warn', '.'],
  ['tests', 'vitest', 'run'],
];

for (const [name, command, ...args] of steps) {
  const startedMs = performance.now();
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', shell: process.platform === 'win32' });
  if (error !== undefined) process.stderr.write(`${name}: ${error.message}\n`);
  if (status !== 0) {
    process.stderr.write(`check: ${name} failed\n`);
    process.exit(status ?? 1);
  }
  process.stdout.write(`check: ${name} passed in ${((performance.now() - startedMs) / 1_000).toFixed(1)} s\n`);
}
