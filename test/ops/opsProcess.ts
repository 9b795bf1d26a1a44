import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { runLine } from '../../ops/runLine.ts';

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

/** The operations command line in this process, which spares each case the start of another. */
export function makeOpsHere(
  environment: Readonly<Record<string, string>>,
): (...words: readonly string[]) => Promise<Ended> {
  return async (...words) => {
    let stdout = '';
    let stderr = '';
    const code = await runLine(words, {
      environment,
      say: (line) => void (stdout += `${line}\n`),
      complain: (sentence) => void (stderr += `${sentence}\n`),
    });
    return { code, stdout, stderr };
  };
}
