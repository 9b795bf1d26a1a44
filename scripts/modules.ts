import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** An installed package, by its place: `node_modules/a` or `node_modules/a/node_modules/b`. */
export type ModulePlace = string;

interface Manifest {
  readonly version?: string;
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/**
 * The places of the packages that some packages need to run, themselves included. Optional and peer dependencies are
 * left out, as `npm ci --omit=optional --omit=peer` does: Baileys asks for pictures' libraries only where media are
 * sent. So are types, which some packages name and none loads. Throws an Error that names a package which is needed and is not installed.
 */
export function modulesOf(root: string, packages: readonly string[]): readonly ModulePlace[] {
  const found = new Set<ModulePlace>();
  const visit = (name: string, from: string): void => {
    const place = placeOf(root, name, from);
    if (place === undefined) throw new Error(`${from === '' ? 'The worker' : from} needs ${name}, which is not there.`);
    if (found.has(place)) return;
    found.add(place);
    const { dependencies = {}, optionalDependencies = {} } = readManifest(join(root, place));
    for (const dependency of Object.keys(dependencies)) {
      if (!(dependency in optionalDependencies) && !dependency.startsWith('@types/')) visit(dependency, place);
    }
  };
  for (const name of packages) visit(name, '');
  return [...found].sort();
}

/**
 * The place where Node finds a package that is asked for in another place: the nearest `node_modules` above that has
 * it.
 */
function placeOf(root: string, name: string, from: ModulePlace): ModulePlace | undefined {
  const above = from.split('/node_modules/');
  for (let depth = from === '' ? 0 : above.length; depth >= 0; depth -= 1) {
    const folder = depth === 0 ? '' : `${above.slice(0, depth).join('/node_modules/')}/`;
    const place = `${folder}node_modules/${name}`;
    if (existsSync(join(root, place, 'package.json'))) return place;
  }
  return undefined;
}

/** The place of the package that a file belongs to; undefined for one of our own. */
export function placeOfFile(file: string): ModulePlace | undefined {
  return /(?:^|\/)(node_modules\/(?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1];
}

export function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
}
