/**
 * All checks, in the order in which they fail fastest: `npm run check`, and the same for `npm test`. The output of the
 * tests is searched for secrets: libraries print keys if nobody watches them.
 */
import { spawn } from 'node:child_process';
import { findSecrets } from '../test/quiet/findSecrets.ts';

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
  const { code, printed } = await run(command, args);
  if (code !== 0) fail(name, code);
  const findings = findSecrets(printed);
  for (const { kind, line } of findings) process.stderr.write(`check: ${name} printed a ${kind} in line ${line}\n`);
  if (findings.length > 0) fail(name, 1);
  process.stdout.write(`check: ${name} passed in ${((performance.now() - startedMs) / 1_000).toFixed(1)} s\n`);
}

function fail(name: string, code: number): never {
  process.stderr.write(`check: ${name} failed\n`);
  process.exit(code);
}

/** Runs a command, shows its output as it comes, and returns all of it at the end. */
function run(command: string, args: readonly string[]): Promise<{ readonly code: number; readonly printed: string }> {
  const child = spawn(command, args, {
    stdio: ['inherit', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
  });
  let printed = '';
  child.stdout.on('data', (text: Buffer) => {
    printed += text.toString();
    process.stdout.write(text);
  });
  child.stderr.on('data', (text: Buffer) => {
    printed += text.toString();
    process.stderr.write(text);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 1, printed }));
  });
}
