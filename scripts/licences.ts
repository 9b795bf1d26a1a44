import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readManifest, type ModulePlace } from './modules.ts';

const LICENCE_FILE = /^(?:licen[cs]e|notice|copying)(?:[.-].*)?$/i;
const LINE = '-'.repeat(80);

/**
 * The licences of packages as one text: each wording once, after the packages that have it. Bundles have no comments, and
 * nearly every licence asks that its text goes with the code.
 */
export function licencesOf(root: string, places: readonly ModulePlace[]): string {
  const packagesByText = new Map<string, string[]>();
  for (const place of places) {
    const { version = '', license = 'no licence named' } = readManifest(join(root, place));
    const text = textOf(join(root, place)) ?? 'The package brings no text of its licence.';
    const name = `${place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length)} ${version} (${license})`;
    packagesByText.set(text, [...(packagesByText.get(text) ?? []), name]);
  }
  const parts = [...packagesByText].map(([text, names]) => [...new Set(names), '', text].join('\n'));
  return `${parts.join(`\n\n${LINE}\n\n`)}\n`;
}

function textOf(folder: string): string | undefined {
  const files = readdirSync(folder).filter((name) => LICENCE_FILE.test(name));
  return files.length === 0
    ? undefined
    : files
        .sort()
        .map((name) => readFileSync(join(folder, name), 'utf8').replaceAll('\r\n', '\n').trim())
        .join('\n\n');
}
