/** The folder that an image is built from: what its scripts have in common. */
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { programOptions } from './bundlePrograms.ts';
import { licencesOf } from './licences.ts';
import { placeOfFile } from './modules.ts';

const root = resolve(import.meta.dirname, '..');

/**
 * Writes programs into `DIR/app`, bundled, with their source maps, the licences of what is in them, and NOTICE. Returns our own files that
 * went into them, relative to the root. Rejects with esbuild's own list of problems.
 */
export async function writePrograms(outDir: string, entries: readonly string[]): Promise<readonly string[]> {
  const { outputFiles, metafile } = await build({
    ...programOptions(entries),
    outdir: root,
    chunkNames: 'chunks/[name]-[hash]',
    preserveSymlinks: true,
    write: false,
    metafile: true,
  });
  const inputs = Object.keys(metafile.inputs);
  const app = join(outDir, 'app');
  for (const { path, contents } of outputFiles) write(join(app, relative(root, path)), contents);
  const bundled = [...new Set(inputs.flatMap((file) => placeOfFile(file) ?? []))].sort();
  write(join(app, 'LICENCES.txt'), licencesOf(root, bundled));
  copyFileSync(join(root, 'NOTICE'), join(app, 'NOTICE'));
  return inputs.filter((file) => placeOfFile(file) === undefined).sort();
}

/** Writes a file, with the folders that lead to it. */
export function write(file: string, contents: Uint8Array | string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, contents);
}

/** The new folder that the command line names (`--out DIR`). Ends the process with a sentence where it names none. */
export function folderOfCommandLine(script: string): string {
  const { values } = parseArgs({ options: { out: { type: 'string' } } });
  if (values.out === undefined) {
    process.stderr.write(`Say where: node ${script} --out DIR\n`);
    process.exit(2);
  }
  if (existsSync(values.out)) {
    process.stderr.write(`${values.out} is there already: name a new folder, since nothing is removed.\n`);
    process.exit(2);
  }
  return values.out;
}
