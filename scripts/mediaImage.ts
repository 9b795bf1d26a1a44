/**
 * Makes the folder that the image of the media function is built from: `node scripts/mediaImage.ts --out DIR` makes `DIR/Dockerfile`,
 * `DIR/app` with the bundles of the function and of the converter, and the two files by which npm installs the codecs for the
 * processor of the image, at the versions and sums of package-lock.json.
 */
import { copyFileSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CODECS } from './bundlePrograms.ts';
import { folderOfCommandLine, write, writePrograms } from './imageFolder.ts';

const root = resolve(import.meta.dirname, '..');

/** What runs in the image: the function, and the program in which files are decoded. */
export const MEDIA_PROGRAMS = ['functions/media/container.ts', 'functions/media/prepare/converter/main.ts'] as const;
const BESIDE = ['Dockerfile', 'takeFfmpeg.sh'] as const;
/** A processor as npm names it. Lambda runs the image on ARM; a judge runs one on the machine that it has. */
export type ImageProcessor = 'arm64' | 'x64';

interface LockedPackage {
  readonly version?: string;
  readonly license?: string;
  readonly cpu?: readonly string[];
  readonly os?: readonly string[];
  readonly libc?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
type Locked = Readonly<Record<string, LockedPackage>>;

export interface MediaImage {
  /** Our own files that went into the bundles, relative to the root. */
  readonly sources: readonly string[];
  /** Packages that npm installs while the image is built, with their versions. */
  readonly installed: Readonly<Record<string, string>>;
}

/** Makes the folder. Rejects with esbuild's own list of problems. */
export async function makeMediaImage(outDir: string, processor: ImageProcessor = 'arm64'): Promise<MediaImage> {
  const sources = await writePrograms(outDir, MEDIA_PROGRAMS);
  for (const file of BESIDE) copyFileSync(join(root, 'functions/media', file), join(outDir, file));
  const packages = lockedCodecs(processor);
  writeLock(outDir, packages);
  const installed = Object.entries(packages).map(([place, { version = '' }]) => [nameOf(place), version] as const);
  return {
    sources,
    installed: Object.fromEntries(installed),
  };
}

const nameOf = (place: string): string => place.replace(/^.*node_modules\//, '');

/** The codecs and what they need, as they are locked, without what is for other systems. */
function lockedCodecs(processor: ImageProcessor): Locked {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: Locked;
  };
  const found = new Map<string, LockedPackage>();
  const visit = (name: string): void => {
    const place = `node_modules/${name}`;
    const locked = packages[place];
    if (locked === undefined) throw new Error(`package-lock.json has no ${name}: run npm run lockfile.`);
    if (found.has(place) || name.startsWith('@types/') || !isForImage(locked, processor)) return;
    found.set(place, locked);
    for (const needed of Object.keys({ ...locked.dependencies, ...locked.optionalDependencies })) visit(needed);
  };
  const names = Object.keys(packages[''] === undefined ? {} : (packages['']?.dependencies ?? {}));
  for (const name of names.filter(isCodec)) visit(name);
  return Object.fromEntries([...found].sort(([left], [right]) => (left < right ? -1 : 1)));
}

const isCodec = (name: string): boolean =>
  CODECS.some((codec) => (codec.endsWith('/*') ? name.startsWith(codec.slice(0, -1)) : name === codec));

function isForImage({ cpu, os, libc }: LockedPackage, processor: ImageProcessor): boolean {
  const fits = (allowed: readonly string[] | undefined, value: string): boolean =>
    allowed === undefined || allowed.includes(value);
  return fits(cpu, processor) && fits(os, 'linux') && fits(libc, 'glibc');
}

/** What npm reads: a package that needs the codecs, and a lock of these alone. */
function writeLock(outDir: string, packages: Locked): void {
  const dependencies = Object.fromEntries(
    Object.entries(packages)
      .filter(([place]) => isCodec(nameOf(place)))
      .map(([place, { version = '' }]) => [nameOf(place), version]),
  );
  // Types that some packages name are loaded by none.
  const bare = Object.entries(packages).map(([place, locked]) => [place, withoutTypes(locked, packages)] as const);
  const about = { name: 'holdfast-media', version: '0.0.0', private: true, dependencies };
  write(join(outDir, 'package.json'), `${JSON.stringify(about, null, 2)}\n`);
  const lock = {
    name: about.name,
    version: about.version,
    lockfileVersion: 3,
    requires: true,
    packages: { '': about, ...Object.fromEntries(bare) },
  };
  write(join(outDir, 'package-lock.json'), `${JSON.stringify(lock, null, 2)}\n`);
}

/** A package without what is left out of the image. */
function withoutTypes(locked: LockedPackage, packages: Locked): LockedPackage {
  const kept = (all: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> =>
    Object.fromEntries(Object.entries(all).filter(([name]) => `node_modules/${name}` in packages));
  return {
    ...locked,
    ...(locked.dependencies === undefined ? {} : { dependencies: kept(locked.dependencies) }),
    ...(locked.optionalDependencies === undefined ? {} : { optionalDependencies: kept(locked.optionalDependencies) }),
  };
}

if (import.meta.main) {
  const outDir = folderOfCommandLine('scripts/mediaImage.ts');
  const { sources, installed } = await makeMediaImage(outDir);
  process.stdout.write(`${sources.length} files in bundles, ${Object.keys(installed).length} packages beside them\n`);
}
