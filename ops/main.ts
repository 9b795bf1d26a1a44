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
import { environmentOver } from '../shared/platform/config.ts';
import type { Environment } from '../shared/platform/environment.ts';
import { readStage, settingsOfStage } from './aws/stageOutputs.ts';
import { isAwsCommand, readCommandLine, type CommandLine } from './commandLine.ts';
import { runCommand } from './runCommand.ts';
import { BadInput } from './sentence.ts';
import { findTarget } from './target.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

try {
  const line = readCommandLine(process.argv.slice(2));
  if ('help' in line) say(line.help);
  else process.exitCode = await run(line);
} catch (error) {
  process.stderr.write(`${sentenceOf(error)}\n`);
  process.exitCode = error instanceof BadInput ? 2 : 1;
}

async function run(line: CommandLine): Promise<number> {
  const { command, flags } = line;
  if (isAwsCommand(command)) {
    // The clients of AWS take a second to load, which no other command needs.
    const { runAwsCommand } = await import('./aws/runAwsCommand.ts');
    return await runAwsCommand({ line, clock: systemClock, say }, command);
  }
  const target = findTarget(flags, await withStage(flags));
  return await runCommand({ line, target, clock: systemClock, say }, command);
}

/**
 * The environment with what CloudFormation says of the stage that is named. What the environment says itself comes
 * first, and whoever names the queues by hand needs no CloudFormation.
 */
async function withStage({ stage, data, region, ...flags }: CommandLine['flags']): Promise<Environment> {
  const isKnown = (flags['queue-url-base'] ?? environmentOver({})['HOLDFAST_QUEUE_URL_BASE']) !== undefined;
  if (stage === undefined || data !== undefined || isKnown) return environmentOver({});
  const { makeReadOutputs } = await import('./aws/cloudFormation.ts');
  return environmentOver(settingsOfStage(stage, await readStage(stage, makeReadOutputs({ region }))));
}

/**
 * The sentence of an error. An error of an SDK may have no message but only a name; a refused network connection has
 * neither.
 */
function sentenceOf(error: unknown): string {
  const { message, name, cause } = error as Error;
  return message || (cause instanceof Error ? cause.message : '') || name;
}
