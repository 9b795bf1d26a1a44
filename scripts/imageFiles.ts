import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The contents of the worker image, read from the Dockerfile itself: there is one list, and tests build the same folder
 * from it without Docker.
 */
export interface ImageContents {
  /** Files and folders of the repository that the last stage takes from the first, without `node_modules`. */
  readonly sources: readonly string[];
  /** Files and folders that are copied into the first stage before anything runs there. */
  readonly buildSources: readonly string[];
  /** Entry files whose imports decide which packages stay. */
  readonly entries: readonly string[];
  /** The flags of `npm ci`. */
  readonly installFlags: readonly string[];
  readonly nodeVersion: string;
  readonly user: string | undefined;
  readonly command: readonly string[];
  /** The command that asks for a container's health. */
  readonly healthCommand: readonly string[];
  /** The environment variables that every container has. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Reads the Dockerfile of a repository. Throws an Error when a line that is needed is not there. */
export function readImageContents(root: string): ImageContents {
  const lines = instructionsOf(readFileSync(join(root, 'Dockerfile'), 'utf8'));
  const lastStage = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));
  const firstStage = lines.slice(0, lines.length - lastStage.length);
  const copies = (stage: readonly string[]): readonly string[] =>
    stage.filter((line) => line.startsWith('COPY ')).flatMap((line) => line.split(' ').slice(1, -1));
  return {
    sources: copies(lastStage)
      .filter((word) => !word.startsWith('--'))
      .map((path) => path.replace('/app/', ''))
      .filter((path) => path !== 'node_modules'),
    buildSources: copies(firstStage).map((path) => path.replace(/\/$/, '')),
    entries: wordsAfter(firstStage, 'RUN node scripts/pruneModules.ts '),
    installFlags: wordsAfter(firstStage, 'RUN npm ci '),
    nodeVersion: wordsAfter(lines, 'ARG NODE_VERSION=')[0] ?? '',
    user: lastStage.find((line) => line.startsWith('USER '))?.slice('USER '.length),
    command: JSON.parse(wordsAfter(lastStage, 'CMD ').join(' ')) as readonly string[],
    healthCommand: JSON.parse(
      wordsAfter(lastStage, 'HEALTHCHECK ')
        .join(' ')
        .replace(/^.* CMD /, ''),
    ) as readonly string[],
    environment: Object.fromEntries(
      lastStage
        .filter((line) => line.startsWith('ENV '))
        .map((line) => line.slice('ENV '.length).split('=') as [string, string]),
    ),
  };
}

/** The instructions without comments; a backslash joins lines. */
function instructionsOf(text: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line !== '');
}

function wordsAfter(lines: readonly string[], start: string): readonly string[] {
  const line = lines.find((candidate) => candidate.startsWith(start));
  if (line === undefined) throw new Error(`The Dockerfile has no line that begins with "${start}".`);
  return line.slice(start.length).split(' ');
}
