/**
 * Makes the folder that the worker's image is built from: `node scripts/workerImage.ts --out DIR` makes `DIR/Dockerfile` and
 * `DIR/app`, all that a container gets: bundles of the worker's programs with their source maps, the few packages that are
 * loaded from where they are installed, and the licences of everything in it. The same sources and packages give the same
 * bytes wherever the repository lies, so CDK's hash of the folder changes with what a worker runs, and with nothing else.
 */
import { copyFileSync, cpSync, readFileSync } from 'node:fs';
import { extname, join, relative, resolve } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { programOptions } from './bundlePrograms.ts';
import { folderOfCommandLine, write } from './imageFolder.ts';
import { licencesOf } from './licences.ts';
import { modulesOf, placeOfFile, readManifest, type ModulePlace } from './modules.ts';

const root = resolve(import.meta.dirname, '..');

/** What runs in a container: the worker, the last step of a restore, and the question for its health. */
export const IMAGE_PROGRAMS = ['worker/main.ts', 'worker/restore.ts', 'worker/status/askHealth.ts'] as const;
/** Packages that bundles load from where they are installed: libsignal is repaired in place, the other one is read when needed. */
const INSTALLED = ['libsignal', 'whatsapp-rust-bridge'] as const;
/** Packages that others ask for and do without; that one of them is installed here, for other parts, must change nothing. */
const DONE_WITHOUT = ['sharp', 'supports-color'] as const;
/** What Node does not read of a package. */
const UNREAD = new Set(['.ts', '.map']);

export interface WorkerImage {
  /** Our own files that went into the bundles, relative to the root. */
  readonly sources: readonly string[];
  /** Packages that our own files import by their names. */
  readonly imported: readonly ModulePlace[];
  /** Packages that went into the bundles. */
  readonly bundled: readonly ModulePlace[];
  /** Packages that lie beside the bundles. */
  readonly installed: readonly ModulePlace[];
}

/**
 * Makes the folder. Rejects with esbuild's own list of problems, and with an Error that names a package which is not
 * installed as package-lock.json says, or that package-lock.json says a worker is installed without.
 */
export async function makeWorkerImage(outDir: string): Promise<WorkerImage> {
  const options = programOptions(IMAGE_PROGRAMS);
  const { outputFiles, metafile } = await build({
    ...options,
    external: [...options.external, ...DONE_WITHOUT],
    // Maps say where a source is from where its bundle is, so bundles are made as if they lay beside their sources.
    outdir: root,
    chunkNames: 'chunks/[name]-[hash]',
    // Names of chunks follow from the paths of what is in them: those are from the root, also where packages are linked to.
    preserveSymlinks: true,
    write: false,
    metafile: true,
  });
  const inputs = Object.keys(metafile.inputs);
  const sources = inputs.filter((file) => placeOfFile(file) === undefined).sort();
  const bundled = placesOf(inputs);
  const installed = modulesOf(root, INSTALLED);
  const places = [...new Set([...bundled, ...installed])].sort();
  assertAsLocked(places);
  const app = join(outDir, 'app');
  for (const { path, contents } of outputFiles) write(join(app, relative(root, path)), contents);
  for (const place of installed) copyPackage(place, app);
  write(join(app, 'LICENCES.txt'), licencesOf(root, places));
  for (const file of ['Dockerfile', 'NOTICE'])
    copyFileSync(join(root, file), join(file === 'NOTICE' ? app : outDir, file));
  return { sources, imported: placesOf(importsOf(metafile, sources)), bundled, installed };
}

function importsOf({ inputs }: Metafile, sources: readonly string[]): readonly string[] {
  return sources.flatMap((file) => inputs[file]?.imports.map(({ path }) => path) ?? []);
}

function placesOf(files: readonly string[]): readonly ModulePlace[] {
  return [...new Set(files.flatMap((file) => placeOfFile(file) ?? []))].sort();
}

/** Copies a package without those that are nested in it, which are places of their own. */
function copyPackage(place: ModulePlace, app: string): void {
  cpSync(join(root, place), join(app, place), {
    recursive: true,
    filter: (from) => !UNREAD.has(extname(from)) && !from.endsWith(`${place}/node_modules`),
  });
}

interface LockedPackage {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly peer?: boolean;
}

/** An image that is made of other versions than the tests ran with would not be noticed before it runs. */
function assertAsLocked(places: readonly ModulePlace[]): void {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<ModulePlace, LockedPackage>>;
  };
  for (const place of places) {
    const { dev = false, optional = false, peer = false } = packages[place] ?? {};
    if (dev || optional || peer) throw new Error(`A worker would have ${place}, which no production dependency needs.`);
    const [installed, locked] = [readManifest(join(root, place)).version, packages[place]?.version];
    if (installed !== locked) {
      throw new Error(`${place} is ${installed} here, and package-lock.json says ${locked}: run npm ci.`);
    }
  }
}

if (import.meta.main) {
  const outDir = folderOfCommandLine('scripts/workerImage.ts');
  const { sources, bundled, installed } = await makeWorkerImage(outDir);
  process.stdout.write(
    `${sources.length} files and ${bundled.length} packages in bundles, ${installed.length} packages beside them\n`,
  );
}
