import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the Dockerfile says about a container: there is one list, and tests run the same without Docker. */
export interface ImageContents {
  /** What is copied from the folder that the image is built from, and where to. */
  readonly copied: readonly (readonly string[])[];
  /** What runs while the image is built. */
  readonly run: readonly string[];
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
  const argumentsOf = (name: string): readonly string[] =>
    lines.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));
  return {
    copied: argumentsOf('COPY').map((words) => words.split(' ').filter((word) => !word.startsWith('--'))),
    run: argumentsOf('RUN'),
    nodeVersion: wordsAfter(lines, 'ARG NODE_VERSION=')[0] ?? '',
    user: argumentsOf('USER').at(-1),
    command: JSON.parse(wordsAfter(lines, 'CMD ').join(' ')) as readonly string[],
    healthCommand: JSON.parse(
      wordsAfter(lines, 'HEALTHCHECK ')
        .join(' ')
        .replace(/^.* CMD /, ''),
    ) as readonly string[],
    environment: Object.fromEntries(argumentsOf('ENV').map((words) => words.split('=') as [string, string])),
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
