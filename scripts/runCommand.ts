import { spawn } from 'node:child_process';
import { resolve } from 'node:path';

export interface Finished {
  readonly code: number;
  /** All that it printed, in the order in which it came. */
  readonly printed: string;
}

/** What is compiled once is kept: tests start hundreds of processes of the same modules. */
const CACHE = resolve(import.meta.dirname, '../node_modules/.cache/node-compile');

/**
 * Runs a command to its end.
 * @param show what it prints is shown as it comes, or only kept
 * @param environment variables beside those of this process
 */
export function runCommand(
  command: string,
  args: readonly string[],
  show: boolean,
  environment: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  const child = spawn(command, args, {
    stdio: ['inherit', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
    env: { NODE_COMPILE_CACHE: CACHE, ...process.env, ...environment },
  });
  let printed = '';
  child.stdout.on('data', (text: Buffer) => {
    printed += text.toString();
    if (show) process.stdout.write(text);
  });
  child.stderr.on('data', (text: Buffer) => {
    printed += text.toString();
    if (show) process.stderr.write(text);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 1, printed }));
  });
}

/** Without colours. */
export function plain(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/\u001B\[[0-9;]*m/g, '');
}
