import { spawn } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { runCommand } from '../../scripts/runCommand.ts';
import type { JudgeRoom } from './judgement.ts';
import { versionOf } from './tools.ts';

const root = resolve(import.meta.dirname, '../..');
/** The user `node` of Node's images. */
export const IMAGE_USER = 1_000;

/** buildah with a store of its own in the room, without a daemon and without mounts. */
export class Builder {
  readonly #options: readonly string[];

  constructor(folder: string) {
    this.#options = ['--root', join(folder, 'store'), '--runroot', join(folder, 'run'), '--storage-driver', 'vfs'];
  }

  /** Resolves to what it printed. Throws an Error with its last lines when it fails. */
  async run(...args: readonly string[]): Promise<string> {
    const { code, printed } = await runCommand('buildah', [...this.#options, ...args], false, CHROOT);
    if (code !== 0) throw new Error(`buildah ${args[0]}: ${printed.trim().split('\n').slice(-5).join(' ')}`);
    return printed.trim();
  }

  start(...args: readonly string[]) {
    const env = { ...process.env, ...CHROOT };
    return spawn('buildah', [...this.#options, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  }
}
const CHROOT = { BUILDAH_ISOLATION: 'chroot' } as const;

/**
 * Brings the image that the Dockerfile begins with. Where no registry can be reached, Debian with the Node of this
 * repository, and the npm of this machine, stand in under its name. Returns what it is; undefined when there is no way.
 */
export async function bringBase(
  builder: Builder,
  base: string,
  nodeVersion: string,
  { folder, say }: Pick<JudgeRoom, 'folder' | 'say'>,
): Promise<string | undefined> {
  try {
    await builder.run('pull', base);
    return base;
  } catch (error) {
    say(`  ${String(error).slice(0, 200)}`);
  }
  const node = join(root, `node_modules/node-linux-${process.arch}/bin/node`);
  const canMake =
    process.getuid?.() === 0 && existsSync(node) && (await versionOf('debootstrap', '--version')) !== undefined;
  if (!canMake) return undefined;
  const system = join(folder, 'base');
  const made = await runCommand('debootstrap', ['--variant=minbase', 'bookworm', system], false);
  if (made.code !== 0) throw new Error(`debootstrap: ${made.printed.trim().split('\n').slice(-3).join(' ')}`);
  cpSync(node, join(system, 'usr/local/bin/node'));
  takeNpm(system);
  for (const command of [
    ['groupadd', '-g', String(IMAGE_USER), 'node'],
    ['useradd', '-u', String(IMAGE_USER), '-g', String(IMAGE_USER), '-m', 'node'],
  ]) {
    await runCommand('chroot', [system, ...command], false);
  }
  const trusted = takeTrust(system);
  const container = await builder.run('from', 'scratch');
  await builder.run('copy', '-q', container, system, '/');
  for (const variable of ['PATH=/usr/local/bin:/usr/bin:/bin', ...trusted]) {
    await builder.run('config', '--env', variable, container);
  }
  await builder.run('commit', '-q', '--rm', container, base);
  return `Debian with Node ${nodeVersion} in place of ${base}`;
}

/** Copies the npm of this machine to where it is in the image. Without one there is none in it either. */
function takeNpm(system: string): void {
  const place = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'npm'))
    .find(existsSync);
  if (place === undefined) return;
  const npm = dirname(dirname(realpathSync(place)));
  cpSync(npm, join(system, 'usr/local/lib/node_modules/npm'), { recursive: true, dereference: true });
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(system, 'usr/local/bin/npm'));
}

/** Has the image trust whom the Node of this machine trusts beside the usual authorities. Returns the variables of its environment that say so. */
function takeTrust(system: string): readonly string[] {
  const authorities = process.env['NODE_EXTRA_CA_CERTS'];
  if (authorities === undefined || !existsSync(authorities)) return [];
  cpSync(authorities, join(system, 'usr/local/share/authorities.pem'), { dereference: true });
  return ['NODE_EXTRA_CA_CERTS=/usr/local/share/authorities.pem'];
}

/** The last process in the line that a process began, and the number of its user: buildah hands no signal on to what it runs. */
export function processOf(pid: number): readonly [pid: number, user: number] {
  for (let last = pid; ;) {
    const next = childrenOf(last)[0];
    if (next === undefined) return [last, userOf(last)];
    last = next;
  }
}

/** Each thread of a process knows those children that it began itself. */
function childrenOf(pid: number): readonly number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    [...readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').matchAll(/\d+/g)].map(Number),
  );
}

function userOf(pid: number): number {
  return Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}
