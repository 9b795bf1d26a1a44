import { readdirSync, readFileSync } from 'node:fs';

/** The processes of a stack that run functions, that of the media function apart: children of this process, by their command line. */
export function runningFunctions(): readonly number[] {
  return childrenThatRun('infra/local/functionsHost');
}

/** The process of the media function, which there is from the first file on. */
export function runningMedia(): readonly number[] {
  return childrenThatRun('infra/local/mediaHost');
}

function childrenThatRun(file: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const parent = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        return Number(parent) === process.pid && command.includes(file);
      } catch {
        // The process ended while it was looked at.
        return false;
      }
    });
}
