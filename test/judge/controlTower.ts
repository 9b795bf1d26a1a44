import { execFile } from 'node:child_process';
import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { unmetRules } from '../infra/controlTower.ts';
import type { StageName } from '../infra/judges/stages.ts';
import { judged, skipped, type Judge, type JudgeRoom } from './judgement.ts';
import { templatesOf } from './templates.ts';
import { folderOf, type CarriedTool } from './tools.ts';

/** Carries cfn-guard for Linux and macOS, and the rules of Control Tower in its language. */
const GUARD: CarriedTool = {
  name: '@cdklabs/cdk-validator-cfnguard',
  version: '0.0.62',
  integrity: 'sha512-Sg2k8067B0AIJ82QFSLhHTUIqxOYTKABvVrTHiyc6j0rE2NHli2diIYqf+w+DkuDKCYYgMIOga3OrYMOHUw0mQ==',
};
const SYSTEMS: Readonly<Record<string, string>> = { linux: 'ubuntu', darwin: 'macos' };
const PROCESSORS: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' };
const JUDGING_MS = 300_000;
const ANSWER_BYTES = 256 * 1_048_576;

interface Report {
  readonly not_compliant: readonly { readonly Rule: { readonly name: string } }[];
  readonly compliant: readonly string[];
}

/**
 * The rules of Control Tower, over every stage as CloudFormation would hand it to them. The rules that a stage may break
 * are those of the table, and the strict stage breaks only those for which there is no setting.
 */
export const controlTower: Judge = {
  name: 'control-tower',
  what: "cfn-guard with Control Tower's rules, over all stages as CloudFormation would hand them on",
  run: async (room) => {
    const guard = await findGuard(room);
    if (typeof guard !== 'string') return guard;
    const objections: string[] = [];
    let applied = 0;
    for (const { stage, asDeployed } of templatesOf(room)) {
      const { broken, kept } = await judgeStage(guard, asDeployed);
      applied += broken.length + kept.length;
      room.say(
        `  ${stage.padEnd(34)}${String(broken.length).padStart(3)} of ${broken.length + kept.length} rules not met`,
      );
      objections.push(...differences(stage, broken));
    }
    return judged(objections, `${applied} rules applied, ${objections.length} not as the table says`, room);
  },
};

function differences(stage: StageName, broken: readonly string[]): readonly string[] {
  const known = unmetRules.filter(({ only }) => only === undefined || only === stage);
  const expected = known.filter(({ setting }) => stage !== 'strict account' || setting === undefined);
  const isWhole = stage === 'small' || stage === 'strict account';
  return [
    ...broken
      .filter((rule) => !expected.some((row) => row.rule === rule))
      .map((rule) => `${stage}: does not meet ${rule}, which the table does not know`),
    ...expected
      .filter(({ rule, only }) => (isWhole || only !== undefined) && !broken.includes(rule))
      .map(({ rule }) => `${stage}: meets ${rule}, and the table says that it does not`),
  ];
}

async function findGuard({ mayFetch }: JudgeRoom) {
  const [system, processor] = [SYSTEMS[process.platform], PROCESSORS[process.arch]];
  if (system === undefined || processor === undefined)
    return skipped('There is no cfn-guard for this kind of machine.');
  const folder = await folderOf(GUARD, mayFetch);
  if (folder === undefined) return skipped('cfn-guard is not here: npm run judge -- --fetch brings it.');
  const guard = join(folder, 'bin', system, processor, 'cfn-guard');
  if (!existsSync(guard)) throw new Error(`There is no cfn-guard in ${folder}.`);
  chmodSync(guard, 0o755);
  return guard;
}

async function judgeStage(guard: string, file: string) {
  const rules = join(guard, '../../../../rules/control-tower/cfn-guard');
  const args = [
    'validate',
    '--structured',
    '--output-format',
    'json',
    '--show-summary',
    'none',
    '--rules',
    rules,
    '--data',
    file,
  ];
  // It ends with another code than 0 when a rule is not met, which its answer says as well.
  const { stdout } = await promisify(execFile)(guard, args, { timeout: JUDGING_MS, maxBuffer: ANSWER_BYTES }).catch(
    (error: unknown) => {
      if (error instanceof Error && 'stdout' in error && typeof error.stdout === 'string' && error.stdout !== '') {
        return { stdout: error.stdout };
      }
      throw error;
    },
  );
  const reports = JSON.parse(stdout) as readonly Report[];
  return {
    broken: [...new Set(reports.flatMap(({ not_compliant }) => not_compliant.map(({ Rule }) => Rule.name)))],
    kept: [...new Set(reports.flatMap(({ compliant }) => compliant))],
  };
}
