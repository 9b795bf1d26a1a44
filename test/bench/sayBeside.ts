import { MB, quantile, type BesideFigures } from './mediaMeasurement.ts';

export const say = (line: string): void => void process.stdout.write(`${line}\n`);
export const round = (value: number, digits = 0): string => value.toFixed(digits);

/** Prints what some work took, and what texts lost beside it. */
export function sayBeside(all: BesideFigures): void {
  say(`all over after ${round(all.allMs / 1_000, 1)} s`);
  say(`functions grew by ${round(all.functionsGrew / MB)} MB, the worker by ${round(all.workerGrew / MB)} MB`);
  for (const [which, what] of [
    ['received', 'from phone to webhook'],
    ['sent', 'from request to phone'],
  ] as const) {
    const [before, meanwhile] = [all.textsBefore[which], all.textsMeanwhile[which]];
    const three = (times: readonly number[]) =>
      [0.5, 0.99, 1].map((share) => round(quantile(times, share))).join(' / ');
    const ratio = quantile(meanwhile, 0.99) / quantile(before, 0.99);
    say(
      `texts ${what}, p50 / p99 / most: ${three(before)} ms without, ${three(meanwhile)} ms beside it (p99 × ${round(ratio, 2)})`,
    );
  }
  say(`left among temporary files: ${all.left.length === 0 ? 'nothing' : all.left.join(', ')}`);
}
