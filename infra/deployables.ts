import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bundleFunctions, entryNames } from '../scripts/bundleFunctions.ts';
import { keptFolder } from '../scripts/keptFolder.ts';
import { makeMediaImage } from '../scripts/mediaImage.ts';
import { makeStreamImage } from '../scripts/streamImage.ts';
import { makeWorkerImage } from '../scripts/workerImage.ts';

/** What it takes to make each thing that a stage runs. */
const MAKERS = {
  functions: (folder: string) => bundleFunctions(folder, functionsWithoutImage()),
  worker: makeWorkerImage,
  media: makeMediaImage,
  stream: makeStreamImage,
} as const;
type Deployable = keyof typeof MAKERS;

const SOURCES = ['Dockerfile', 'NOTICE', 'functions', 'scripts', 'shared', 'tsconfig.json', 'worker'];
/** Folders of a few branches. */
const KEPT_OF_EACH = 5;

/**
 * Makes the folder that a stage deploys, unless it was made of the same sources before: bundling is the larger part of a synthesis.
 * Resolves to its path. Rejects with esbuild's own list of problems.
 */
export function makeDeployable(name: Deployable): Promise<string> {
  return keptFolder({ home: `holdfast-${name}`, sources: SOURCES, most: KEPT_OF_EACH }, MAKERS[name]);
}

/** A function that has a Dockerfile beside its entry is deployed as an image; the embedded stack alone runs its entry. */
function functionsWithoutImage(): readonly string[] {
  return entryNames().filter((name) => !existsSync(join(import.meta.dirname, '../functions', name, 'Dockerfile')));
}
