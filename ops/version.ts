import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Fleet } from './readFleet.ts';
import { counted } from './sentence.ts';

interface PackageFile {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

/** The versions of Holdfast, Node and Baileys. */
export function versionLines(): readonly string[] {
  const file = join(resolve(import.meta.dirname, '..'), 'package.json');
  const { version, dependencies } = JSON.parse(readFileSync(file, 'utf8')) as PackageFile;
  return [
    `Holdfast  ${version}`,
    `Node      ${process.versions.node}`,
    `Baileys   ${dependencies['@whiskeysockets/baileys'] ?? 'unknown'}`,
  ];
}

/** Deploy generations of the living workers, newest first: more than one while a deploy is under way. */
export function generationLines({ workers }: Pick<Fleet, 'workers'>): readonly string[] {
  const living = workers.filter(({ state }) => state !== 'DEAD');
  const generations = [...new Set(living.map(({ generation }) => generation))].sort((left, right) => right - left);
  return generations.map((generation) => {
    const count = living.filter((worker) => worker.generation === generation).length;
    return `fleet     generation ${generation}: ${counted(count, 'worker')}`;
  });
}
