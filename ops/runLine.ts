import { systemClock } from '../shared/kernel/clock.ts';
import type { Environment } from '../shared/platform/environment.ts';
import { readStage, settingsOfStage } from './aws/stageOutputs.ts';
import { isAwsCommand, readCommandLine, type CommandLine } from './commandLine.ts';
import { runCommand } from './runCommand.ts';
import { BadInput } from './sentence.ts';
import { findTarget } from './target.ts';

/** What a line of words needs of the process that it was given to. */
export interface Terminal {
  readonly environment: Environment;
  /** Shows one line of what was asked for. */
  readonly say: (line: string) => void;
  /** Shows the sentence that says why there is nothing to show. */
  readonly complain: (sentence: string) => void;
}

/**
 * Runs one line of `npm run ops`.
 *
 * | exit code | means                                                        |
 * | --------- | ------------------------------------------------------------ |
 * | 0         | done; for `health`: nothing is bad                           |
 * | 1         | it did not work, in one sentence; for `health`: something is bad |
 * | 2         | the input is wrong, in one sentence; nothing was done         |
 */
export async function runLine(words: readonly string[], terminal: Terminal): Promise<number> {
  try {
    const line = readCommandLine(words);
    if (!('help' in line)) return await run(line, terminal);
    terminal.say(line.help);
    return 0;
  } catch (error) {
    terminal.complain(sentenceOf(error));
    return error instanceof BadInput ? 2 : 1;
  }
}

async function run(line: CommandLine, { environment, say }: Terminal): Promise<number> {
  const { command, flags } = line;
  if (isAwsCommand(command)) {
    // The clients of AWS take a second to load, which no other command needs.
    const { runAwsCommand } = await import('./aws/runAwsCommand.ts');
    return await runAwsCommand({ line, clock: systemClock, say }, command);
  }
  const target = findTarget(flags, await withStage(flags, environment));
  return await runCommand({ line, target, clock: systemClock, say }, command);
}

/**
 * The environment with what CloudFormation says of the stage that is named. What the environment says itself comes
 * first, and whoever names the queues by hand needs no CloudFormation.
 */
async function withStage(
  { stage, data, region, ...flags }: CommandLine['flags'],
  environment: Environment,
): Promise<Environment> {
  const isKnown = (flags['queue-url-base'] ?? environment['HOLDFAST_QUEUE_URL_BASE']) !== undefined;
  if (stage === undefined || data !== undefined || isKnown) return environment;
  const { makeReadOutputs } = await import('./aws/cloudFormation.ts');
  return { ...settingsOfStage(stage, await readStage(stage, makeReadOutputs({ region }))), ...environment };
}

/**
 * The sentence of an error. An error of an SDK may have no message but only a name; a refused network connection has
 * neither.
 */
function sentenceOf(error: unknown): string {
  const { message, name, cause } = error as Error;
  return message || (cause instanceof Error ? cause.message : '') || name;
}
