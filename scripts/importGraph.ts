import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

/** The files and packages that entry files reach through their imports. */
export interface ImportGraph {
  /** Our own files, relative to the root, with `/`. */
  readonly files: readonly string[];
  /**
   * Names of packages that our own files import, without Node's own. A package of which only types are imported counts
   * too, because they name a dependency.
   */
  readonly packages: readonly string[];
}

/** Static and dynamic imports, and `require` of a fixed name, which is the only way to get libsignal. */
const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^'";]*?from\s+'([^']+)'|import\(\s*'([^']+)'\s*\)|(?:^|\n)import\s+'([^']+)'|require(?:\.resolve)?\(\s*'([^']+)'\s*\)/g;

/** Follows imports from some files of a folder. Throws an Error that names a file which is imported and is not there. */
export function readImportGraph(root: string, entries: readonly string[]): ImportGraph {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string, importedBy: string): void => {
    if (files.has(file)) return;
    if (!existsSync(join(root, file))) throw new Error(`${importedBy} imports ${file}, which is not there.`);
    files.add(file);
    for (const target of importsOf(readFileSync(join(root, file), 'utf8'))) {
      if (target.startsWith('.')) {
        visit(relative(root, resolve(root, dirname(file), target)).replaceAll('\\', '/'), file);
      } else if (!target.startsWith('node:')) packages.add(packageOf(target));
    }
  };
  for (const entry of entries) visit(entry, 'the command line');
  return { files: [...files].sort(), packages: [...packages].sort() };
}

function importsOf(text: string): readonly string[] {
  return [...text.matchAll(IMPORT)].map((match) => match.slice(1).find((target) => target !== undefined) ?? '');
}

/** The package of an import: `@aws-sdk/client-sqs/dist` belongs to `@aws-sdk/client-sqs`. */
function packageOf(target: string): string {
  return target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/');
}
