import type { Readable } from 'node:stream';
import { isMetrics } from './ops/emfLine.ts';
import { toTrouble, type Trouble } from './trouble.ts';

/** The functions that are told of what a child prints. */
export interface OutputListeners {
  /** Called with whole lines, ends included, as they came: one or many at a time. */
  readonly onLines: (lines: Buffer) => void;
  /** Called once, with the line in which the child says that it is ready. */
  readonly onReady: (line: Readonly<Record<string, unknown>>) => void;
  /** Called for each line that a person should see. */
  readonly onTrouble: (trouble: Trouble) => void;
  /** Called for each line that may hold metrics. */
  readonly onMetrics: (line: string) => void;
}

const NEWLINE = 0x0a;
/** The longest line that is kept together; what is longer is passed on in pieces, so that memory has a bound. */
const LONGEST_LINE_BYTES = 1_024 * 1_024;
/**
 * Begins of lines that somebody is told of, as `makeLogger` and `makeMetrics` write them. All other lines are never
 * parsed: there are several for each message, and nobody waits for them.
 */
const TROUBLE_BEGINS = ['{"level":"warn"', '{"level":"error"'] as const;
const LONGEST_BEGIN = 16;

/** Passes on what a child prints, and finds in it what somebody is told of. @param name of the process, for a person */
export function listenTo(output: Readable, name: string, listeners: OutputListeners): void {
  let isReady = false;
  const look = (line: string): void => {
    if (isMetrics(line)) listeners.onMetrics(line);
    else if (TROUBLE_BEGINS.some((begin) => line.startsWith(begin))) {
      const trouble = toTrouble(name, parseJson(line));
      if (trouble !== undefined) listeners.onTrouble(trouble);
    } else if (!isReady) {
      const said = parseJson(line);
      if (!isObject(said) || said['ready'] !== true) return;
      isReady = true;
      listeners.onReady(said);
    }
  };
  splitLines(output, (lines) => {
    listeners.onLines(lines);
    for (let from = 0; from < lines.length;) {
      const end = lines.indexOf(NEWLINE, from);
      const begin = lines.toString('latin1', from, Math.min(end, from + LONGEST_BEGIN));
      if (!isReady || isMetrics(begin) || TROUBLE_BEGINS.some((known) => begin.startsWith(known))) {
        look(lines.toString('utf8', from, end));
      }
      from = end + 1;
    }
  });
}

/** Calls `take` with whole lines as they come, ends included. A last line without an end gets one. */
export function splitLines(output: Readable, take: (lines: Buffer) => void): void {
  let rest: readonly Buffer[] = [];
  let restBytes = 0;
  output.on('data', (chunk: Buffer) => {
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    if (end > 0) {
      take(rest.length === 0 ? chunk.subarray(0, end) : Buffer.concat([...rest, chunk.subarray(0, end)]));
      [rest, restBytes] = [[], 0];
    }
    if (end === chunk.length) return;
    rest = [...rest, chunk.subarray(end)];
    restBytes += chunk.length - end;
    if (restBytes > LONGEST_LINE_BYTES) passRest();
  });
  const passRest = (): void => {
    if (restBytes > 0) take(Buffer.concat([...rest, Buffer.from('\n')]));
    [rest, restBytes] = [[], 0];
  };
  output.on('end', passRest);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
