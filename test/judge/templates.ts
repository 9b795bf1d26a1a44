import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AwsSolutionsChecks } from 'cdk-nag';
import { stages, type StageName } from '../infra/judges/stages.ts';
import { ofType, readResources, writeTemplates } from '../infra/synthesizeStage.ts';
import { judged, skipped, type Judge, type JudgeRoom } from './judgement.ts';
import { runCommand } from '../../scripts/runCommand.ts';
import { versionOf } from './tools.ts';

export interface StageTemplates {
  readonly stage: StageName;
  /** Paths of the templates. */
  readonly files: readonly string[];
  /** One template with the resources of all, in which values stand instead of functions, as CloudFormation hands them on. */
  readonly asDeployed: string;
  readonly resources: number;
  readonly seconds: number;
}

/** The templates of one run by their folder: several judges look at the same. */
const written = new Map<string, readonly (StageTemplates | StageFindings)[]>();

interface StageFindings {
  readonly stage: StageName;
  readonly findings: string;
}

/** Writes the templates of every judged stage, under the rules of cdk-nag. */
function writeStages({ folder }: JudgeRoom): readonly (StageTemplates | StageFindings)[] {
  const known = written.get(folder);
  if (known !== undefined) return known;
  const all = (Object.keys(stages) as StageName[]).map((stage) => writeStage(stage, folder));
  written.set(folder, all);
  return all;
}

function writeStage(stage: StageName, folder: string): StageTemplates | StageFindings {
  const startedMs = performance.now();
  let directory: string;
  try {
    directory = writeTemplates(stages[stage], (app) => new AwsSolutionsChecks(app));
  } catch (error) {
    return { stage, findings: error instanceof Error ? error.message : String(error) };
  }
  const seconds = (performance.now() - startedMs) / 1_000;
  const resources = readResources(directory);
  const asDeployed = join(folder, `${stage.replaceAll(/\W/g, '-')}.deployed.json`);
  const Resources = Object.fromEntries(
    resources.map(({ id, type, properties }) => [id, { Type: type, Properties: properties }]),
  );
  const template = JSON.stringify({ AWSTemplateFormatVersion: '2010-09-09', Resources });
  // A policy names its bucket by an attribute, in whose place CloudFormation puts the ARN.
  const named = ofType(resources, 'AWS::S3::Bucket').reduce(
    (text, { id, properties }) => text.replaceAll(`"${id}.Arn`, `"arn:aws:s3:::${String(properties['BucketName'])}`),
    template,
  );
  writeFileSync(asDeployed, named);
  const files = readdirSync(directory)
    .filter((file) => file.endsWith('.template.json'))
    .map((file) => join(directory, file));
  return { stage, files, asDeployed, resources: resources.length, seconds };
}

/** The stages that could be synthesised; the others are a matter of the first judge. */
export function templatesOf(room: JudgeRoom): readonly StageTemplates[] {
  return writeStages(room).filter((one) => 'files' in one);
}

/** Rules of AWS's own solutions: every finding needs a stated reason, otherwise the synthesis ends. */
export const cdkNag: Judge = {
  name: 'cdk-nag',
  what: "AWS's rules for solutions, over the templates of all stages",
  run: (room) => {
    const all = writeStages(room);
    const objections = all.flatMap((one) => ('findings' in one ? [`${one.stage}: ${one.findings}`] : []));
    const good = templatesOf(room);
    for (const { stage, resources, seconds } of good) {
      room.say(`  ${stage.padEnd(34)}${String(resources).padStart(6)} resources${seconds.toFixed(1).padStart(7)} s`);
    }
    return Promise.resolve(judged(objections, `${good.length} stages, ${sumOf(good)} resources`, room));
  },
};

const ERROR = /^E\d{4}:/;

/** The linter of CloudFormation: its schemas and its rules. Warnings are shown as a number. */
export const cfnLint: Judge = {
  name: 'cfn-lint',
  what: "CloudFormation's linter, over the templates of all stages",
  run: async (room) => {
    const version = await versionOf('cfn-lint', '--version');
    if (version === undefined)
      return skipped('cfn-lint does not answer: install it, for example with pipx install cfn-lint.');
    const objections: string[] = [];
    let warnings = 0;
    const all = templatesOf(room);
    for (const { stage, files } of all) {
      const { code, printed } = await runCommand('cfn-lint', ['--format', 'parseable', ...files], false);
      const found = printed.split('\n').flatMap((line) => /(?:[^:]+:){5}([EWI]\d{4}:.+)$/.exec(line)?.[1] ?? []);
      // 0: nothing; otherwise a sum of 2 for errors, 4 for warnings, 8 for information. 1 is a failure of its own.
      if (code === 1 || (code !== 0 && found.length === 0))
        objections.push(`${stage}: cfn-lint ended with ${code}: ${printed}`);
      objections.push(...found.filter((line) => ERROR.test(line)).map((line) => `${stage}: ${line}`));
      warnings += found.filter((line) => !ERROR.test(line)).length;
    }
    const files = all.reduce((sum, one) => sum + one.files.length, 0);
    return judged(
      objections,
      `${version}: ${files} templates, ${objections.length} errors, ${warnings} warnings`,
      room,
    );
  },
};

function sumOf(all: readonly StageTemplates[]): number {
  return all.reduce((sum, { resources }) => sum + resources, 0);
}
