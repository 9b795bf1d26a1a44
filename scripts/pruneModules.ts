/**
 * Removes every installed package that the given files do not reach: `node scripts/pruneModules.ts worker/main.ts`. The
 * image needs it: package.json lists the dependencies of all parts, and the infrastructure's alone are ten times the
 * worker's.
 */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readImportGraph } from './importGraph.ts';
import { modulesOf } from './modules.ts';

const root = process.cwd();
const { packages } = readImportGraph(root, process.argv.slice(2));
const kept = modulesOf(root, packages);
let removed = 0;
for (const place of installedAt('node_modules')) {
  if (kept.some((needed) => needed === place || needed.startsWith(`${place}/`))) continue;
  rmSync(join(root, place), { recursive: true, force: true });
  removed += 1;
}
process.stdout.write(`${kept.length} packages kept, ${removed} removed\n`);

/** The packages of one `node_modules`; nested ones stay or go with theirs. */
function installedAt(folder: string): readonly string[] {
  return readdirSync(join(root, folder)).flatMap((name) =>
    name.startsWith('@')
      ? readdirSync(join(root, folder, name)).map((scoped) => `${folder}/${name}/${scoped}`)
      : [`${folder}/${name}`],
  );
}
