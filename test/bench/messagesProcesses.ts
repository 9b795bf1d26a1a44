import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

/** What Linux counts in one second of CPU time. */
const TICKS_PER_SECOND = 100;
const NO_STAT = 'the bench reads /proc, which only Linux has';

/** A process as the system sees it now. */
export interface ProcessView {
  readonly pid: number;
  /** The file that it runs, without its ending, for example `functionsHost`; processes of one file share it. */
  readonly name: string;
  /** CPU time since it was started, ended children included, in milliseconds. */
  readonly cpuMs: number;
  readonly residentMb: number;
}

/** A process and all that it started, directly or not. */
export function processesUnder(root: number): readonly ProcessView[] {
  const parents = new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((name) => [Number(name), parentOf(Number(name))]),
  );
  if (parents.size === 0) throw new Error(NO_STAT);
  const isUnder = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = parents.get(at))
      if (at === root) return true;
    return false;
  };
  return [...parents.keys()].filter(isUnder).flatMap((pid) => viewOf(pid) ?? []);
}

/** CPU time by name between two looks, in milliseconds. A process that ended in between is left out. */
export function cpuBetween(before: readonly ProcessView[], after: readonly ProcessView[]): ReadonlyMap<string, number> {
  const earlier = new Map(before.map(({ pid, cpuMs }) => [pid, cpuMs]));
  const spent = new Map<string, number>();
  for (const { pid, name, cpuMs } of after) {
    spent.set(name, (spent.get(name) ?? 0) + cpuMs - (earlier.get(pid) ?? 0));
  }
  return spent;
}

/** The processes that stand for what AWS or WhatsApp runs, and are no part of the service. */
const NOT_OURS = /^(?:dynoxide|emulatorsHost|queueServer|.*[eE]mulator.*|whatsapp|driver)$/;

export function isService(name: string): boolean {
  return !NOT_OURS.test(name);
}

/** The name of a process by the file that it runs; the simulator is `whatsapp`. */
export function nameOfCommand(command: readonly string[]): string {
  const file = command.slice(1).find((part, at, rest) => /\.[cm]?[jt]s$/.test(part) && rest[at - 1] !== '--import');
  if (file === undefined) return basename(command[0] ?? 'unknown');
  if (/whatsapp\/main\.[cm]?[jt]s$/.test(file)) return 'whatsapp';
  if (/worker\/main\.[cm]?[jt]s$/.test(file)) return 'worker';
  // The supervisor of `npm start` lives in the process that starts the stack for the bench.
  if (/messagesStack\.[cm]?[jt]s$/.test(file)) return 'supervisor';
  if (/messagesFloorServer\.[jt]s$/.test(file)) return 'floor';
  return basename(file).replace(/\.[cm]?[jt]s$/, '');
}

function parentOf(pid: number): number | undefined {
  const parent = fieldsOf(pid)?.[1];
  return parent === undefined ? undefined : Number(parent);
}

/** The fields of `/proc/<pid>/stat` from the third on; the second, a name in brackets, may hold anything. */
function fieldsOf(pid: number): readonly string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

function viewOf(pid: number): ProcessView | undefined {
  const fields = fieldsOf(pid);
  if (fields === undefined) return undefined;
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const residentKb = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
    // User and system time, its own and those of children that ended.
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    return {
      pid,
      name: nameOfCommand(command),
      cpuMs: (ticks * 1_000) / TICKS_PER_SECOND,
      residentMb: residentKb / 1_024,
    };
  } catch {
    return undefined;
  }
}
