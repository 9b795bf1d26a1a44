/** The folder that an image is built from: what its scripts have in common. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';

/** Writes a file, with the folders that lead to it. */
export function write(file: string, contents: Uint8Array | string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, contents);
}

/** The new folder that the command line names (`--out DIR`). Ends the process with a sentence where it names none. */
export function folderOfCommandLine(script: string): string {
  const { values } = parseArgs({ options: { out: { type: 'string' } } });
  if (values.out === undefined) {
    process.stderr.write(`Say where: node ${script} --out DIR\n`);
    process.exit(2);
  }
  if (existsSync(values.out)) {
    process.stderr.write(`${values.out} is there already: name a new folder, since nothing is removed.\n`);
    process.exit(2);
  }
  return values.out;
}
