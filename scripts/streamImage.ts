/**
 * Makes the folder that the image of the stream service is built from: `node scripts/streamImage.ts --out DIR` makes `DIR/Dockerfile` and
 * `DIR/app` with the bundle of the service, its source map and the licences of everything in it.
 */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { build } from 'esbuild';
import { programOptions } from './bundlePrograms.ts';
import { folderOfCommandLine, write } from './imageFolder.ts';
import { licencesOf } from './licences.ts';
import { placeOfFile } from './modules.ts';

const root = resolve(import.meta.dirname, '..');

/** What runs in the image. */
export const STREAM_PROGRAM = 'functions/stream/main.ts';

export interface StreamImage {
  /** Our own files that went into the bundle, relative to the root. */
  readonly sources: readonly string[];
}

/** Makes the folder. Rejects with esbuild's own list of problems. */
export async function makeStreamImage(outDir: string): Promise<StreamImage> {
  const { outputFiles, metafile } = await build({
    ...programOptions([STREAM_PROGRAM]),
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
  copyFileSync(join(root, 'functions/stream/Dockerfile'), join(outDir, 'Dockerfile'));
  return { sources: inputs.filter((file) => placeOfFile(file) === undefined).sort() };
}

/** Makes the folder in a place that is gone when this process ends. Resolves to its path. */
export async function makePassingStreamImage(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-stream-image-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  await makeStreamImage(folder);
  return folder;
}

if (import.meta.main) {
  const { sources } = await makeStreamImage(folderOfCommandLine('scripts/streamImage.ts'));
  process.stdout.write(`${sources.length} files in the bundle\n`);
}
