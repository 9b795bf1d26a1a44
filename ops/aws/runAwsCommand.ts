import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { settingsOf, type Settings } from '../../infra/settings/settings.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import type { AwsCommandName, CommandLine } from '../commandLine.ts';
import { BadInput } from '../sentence.ts';
import { readAccount } from './accountFacts.ts';
import { makeReadOutputs } from './cloudFormation.ts';
import { judgeAccount } from './preflight.ts';
import { makeStageControls } from './stageControls.ts';
import { readStage } from './stageOutputs.ts';
import { resumeStage, suspendStage } from './suspend.ts';

export interface AwsRun extends Pick<Surroundings, 'clock'> {
  readonly line: CommandLine;
  readonly say: (line: string) => void;
}

/** The commands that ask AWS itself, and no Holdfast: they work before there is one, or while it rests. */
const runs: Readonly<Record<AwsCommandName, (run: AwsRun) => Promise<number>>> = {
  preflight: async ({ line, say }) => {
    const { stage, shape, region } = line.flags;
    const settings = readSettings(stage, shape);
    const findings = judgeAccount(await readAccount({ region }), settings);
    for (const { verdict, sentence } of findings) say(`${verdict.padEnd(5)} ${sentence}`);
    return findings.some(({ verdict }) => verdict === 'stop') ? 1 : 0;
  },
  suspend: async (run) => {
    await suspendStage(...(await suspension(run)));
    return 0;
  },
  resume: async (run) => {
    await resumeStage(...(await suspension(run)));
    return 0;
  },
};

/** Runs a command. Resolves to the exit code; throws BadInput and Failed with one sentence. */
export function runAwsCommand(run: AwsRun, command: AwsCommandName): Promise<number> {
  return runs[command](run);
}

/** Throws BadInput when no stage on AWS is named. */
async function suspension({ line, clock, say }: AwsRun): Promise<Parameters<typeof suspendStage>> {
  const { stage, region } = line.flags;
  if (stage === undefined) throw new BadInput(`Name the stage on AWS: ops ${line.command} --stage NAME.`);
  const outputs = await readStage(stage, makeReadOutputs({ region }));
  return [{ clock, say, controls: makeStageControls({ region }) }, outputs];
}

/** The settings with which a stage would be deployed, as cdk.json keeps them. Throws BadInput. */
function readSettings(stage: string | undefined, shape: string | undefined): Settings {
  const file = resolve(import.meta.dirname, '../../cdk.json');
  const { context } = JSON.parse(readFileSync(file, 'utf8')) as { readonly context: Readonly<Record<string, unknown>> };
  const given = { ...(stage === undefined ? {} : { stage }), ...(shape === undefined ? {} : { shape }) };
  try {
    return settingsOf({ ...context, ...given });
  } catch (error) {
    throw new BadInput((error as Error).message.replaceAll(/\s*\n\s*/g, ' '), { cause: error });
  }
}
