import { execFile } from 'node:child_process';
import { resolve } from 'node:path';

const MAIN = resolve(import.meta.dirname, '../../ops/main.ts');

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The operations command line as a process of its own, with this environment and no other. */
export function makeOps(
  environment: Readonly<Record<string, string>>,
): (...words: readonly string[]) => Promise<Ended> {
  return (...words) =>
    new Promise((done) => {
      const child = execFile(process.execPath, [MAIN, ...words], { env: environment }, (_, stdout, stderr) => {
        done({ code: child.exitCode ?? -1, stdout, stderr });
      });
    });
}
