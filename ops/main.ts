/**
 * `npm run ops -- COMMAND`: operates a Holdfast, here or on AWS, through its API and its stores.
 *
 * | exit code | means                                                        |
 * | --------- | ------------------------------------------------------------ |
 * | 0         | done; for `health`: nothing is bad                           |
 * | 1         | it did not work, in one sentence; for `health`: something is bad |
 * | 2         | the input is wrong, in one sentence; nothing was done         |
 */
import { systemClock } from '../shared/kernel/clock.ts';
import { readCommandLine } from './commandLine.ts';
import { runCommand } from './runCommand.ts';
import { BadInput } from './sentence.ts';
import { findTarget } from './target.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

try {
  const line = readCommandLine(process.argv.slice(2));
  if ('help' in line) say(line.help);
  else process.exitCode = await runCommand({ line, target: findTarget(line.flags), clock: systemClock, say });
} catch (error) {
  process.stderr.write(`${sentenceOf(error)}\n`);
  process.exitCode = error instanceof BadInput ? 2 : 1;
}

/**
 * The sentence of an error. An error of an SDK may have no message but only a name; a refused network connection has
 * neither.
 */
function sentenceOf(error: unknown): string {
  const { message, name, cause } = error as Error;
  return message || (cause instanceof Error ? cause.message : '') || name;
}
