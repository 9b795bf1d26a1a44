import { forTerminal } from '../shared/kernel/forTerminal.ts';

/** The caller wrote something that cannot be done: one sentence, exit code 2. */
export class BadInput extends Error {
  override readonly name = 'BadInput';
}

/** The command could not do what it was asked: one sentence, exit code 1. */
export class Failed extends Error {
  override readonly name = 'Failed';
}

/**
 * The first sentence of Node's message about wrong flags; Node adds further sentences and lines on how flags can be
 * written.
 */
export function toBadInput(error: unknown): BadInput {
  const [firstLine = ''] = (error as Error).message.split('\n');
  return new BadInput(`${(firstLine.split('. ')[0] ?? '').replace(/\.$/, '')}.`, { cause: error });
}

/** A number with its noun, such as `1 worker` or `2 workers`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** A time span as a person writes it: `4 s`, `3 min`, `2 h`, `5 d`. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/**
 * Lines with columns as wide as their widest cell; numbers stand to the right. Control characters are removed, because
 * tenants wrote some of the texts.
 */
export function columns(head: readonly string[], cells: readonly (readonly (string | number)[])[]): readonly string[] {
  const rows = cells.map((row) => row.map((cell) => (typeof cell === 'string' ? forTerminal(cell) : cell)));
  const widths = head.map((title, index) =>
    Math.max(title.length, ...rows.map((row) => String(row[index] ?? '').length)),
  );
  const line = (cells: readonly (string | number)[]): string =>
    cells
      .map((cell, index) => {
        const width = widths[index] ?? 0;
        const isNumber = rows.every((row) => typeof row[index] === 'number');
        return isNumber && rows.length > 0 ? String(cell).padStart(width) : String(cell).padEnd(width);
      })
      .join('  ')
      .trimEnd();
  return [line(head), ...rows.map(line)];
}
