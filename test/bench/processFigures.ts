import { readdirSync, readFileSync } from 'node:fs';

/** What the kernel says of processes, in bytes and milliseconds. Linux alone. */
export interface ProcessFigures {
  readonly residentBytes: number;
  readonly cpuMs: number;
  /** Bytes that went through its system calls, in and out: files, pipes and sockets. */
  readonly movedBytes: number;
}

/** The unit of times in `/proc`: Linux reports a hundred ticks a second to programs, whatever its own clock. */
const MS_PER_TICK = 10;

const read = (pid: number, name: string): string => readFileSync(`/proc/${pid}/${name}`, 'utf8');
const numberIn = (text: string, pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? Number.NaN);

/** The figures of a process that runs. Throws when it does not. */
export function figuresOf(pid: number): ProcessFigures {
  // The name of the program stands in brackets and may hold anything; what counts comes behind it.
  const ticks = read(pid, 'stat').split(') ').at(-1)?.split(' ') ?? [];
  const io = read(pid, 'io');
  return {
    residentBytes: numberIn(read(pid, 'status'), /VmRSS:\s+(\d+) kB/) * 1_024,
    cpuMs: (Number(ticks[11]) + Number(ticks[12])) * MS_PER_TICK,
    movedBytes: numberIn(io, /rchar: (\d+)/) + numberIn(io, /wchar: (\d+)/),
  };
}

/** The processes below one, whose command line has this word. */
export function processesBelow(pid: number, word: string): readonly number[] {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const parents = new Map<number, number>();
  for (const name of all) {
    try {
      parents.set(Number(name), numberIn(read(Number(name), 'status'), /PPid:\s+(\d+)/));
    } catch {
      // It has ended meanwhile.
    }
  }
  const isBelow = (one: number | undefined): boolean =>
    one !== undefined && one > 1 && (parents.get(one) === pid || isBelow(parents.get(one)));
  return [...parents.keys()].filter((one) => isBelow(one) && commandOf(one).includes(word));
}

function commandOf(pid: number): string {
  try {
    return read(pid, 'cmdline').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

/** The most memory that some processes have at any time, until it is asked for. */
export class MemoryWatch {
  readonly #most = new Map<number, number>();
  readonly #first = new Map<number, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(pids: readonly number[], everyMs = 50) {
    const look = (): void => {
      for (const pid of pids) {
        try {
          const { residentBytes } = figuresOf(pid);
          this.#first.set(pid, this.#first.get(pid) ?? residentBytes);
          this.#most.set(pid, Math.max(this.#most.get(pid) ?? 0, residentBytes));
        } catch {
          // It has ended; its successor is watched by whoever knows of it.
        }
      }
    };
    look();
    this.#timer = setInterval(look, everyMs);
  }

  /** Ends the watch. Returns by how much each process grew at most, in bytes. */
  stop(): readonly number[] {
    clearInterval(this.#timer);
    return [...this.#most].map(([pid, most]) => most - (this.#first.get(pid) ?? 0));
  }
}
