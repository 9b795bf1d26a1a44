/**
 * Makes the folder that the image of the stream service is built from: `node scripts/streamImage.ts --out DIR` makes `DIR/Dockerfile` and
 * `DIR/app` with the bundle of the service, its source map and the licences of everything in it.
 */
import { copyFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { folderOfCommandLine, writePrograms } from './imageFolder.ts';

const root = resolve(import.meta.dirname, '..');

/** What runs in the image. */
export const STREAM_PROGRAM = 'functions/stream/main.ts';

export interface StreamImage {
  /** Our own files that went into the bundle, relative to the root. */
  readonly sources: readonly string[];
}

/** Makes the folder. Rejects with esbuild's own list of problems. */
export async function makeStreamImage(outDir: string): Promise<StreamImage> {
  const sources = await writePrograms(outDir, [STREAM_PROGRAM]);
  copyFileSync(join(root, 'functions/stream/Dockerfile'), join(outDir, 'Dockerfile'));
  return { sources };
}

if (import.meta.main) {
  const { sources } = await makeStreamImage(folderOfCommandLine('scripts/streamImage.ts'));
  process.stdout.write(`${sources.length} files in the bundle\n`);
}
