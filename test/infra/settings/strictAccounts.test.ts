import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { unmetRules } from '../controlTower.ts';
import { stages } from '../judges/stages.ts';
import { ofType, synthesizeStage, type Resource } from '../synthesizeStage.ts';

/**
 * What Control Tower asks of a stage, without its tool: `npm run judge` has cfn-guard say the same of the same templates.
 * Each row finds the resources that break a control.
 */
const breaches: Readonly<Record<string, (resources: readonly Resource[]) => readonly Resource[]>> = {
  'CT.CLOUDWATCH.PR.1': (resources) =>
    without(ofType(resources, 'AWS::CloudWatch::Alarm'), ({ AlarmActions }) => isFilled(AlarmActions)),
  'CT.CLOUDWATCH.PR.2': (resources) =>
    without(ofType(resources, 'AWS::Logs::LogGroup'), ({ RetentionInDays }) => Number(RetentionInDays) >= 365),
  'CT.CLOUDWATCH.PR.3': (resources) =>
    without(ofType(resources, 'AWS::Logs::LogGroup'), ({ KmsKeyId }) => KmsKeyId !== undefined),
  'CT.ECS.PR.2': (resources) =>
    without(ofType(resources, 'AWS::ECS::Cluster'), ({ ClusterSettings }) =>
      JSON.stringify(ClusterSettings).includes('"Value":"enabled"'),
    ),
  'CT.ECS.PR.9': (resources) =>
    without(ofType(resources, 'AWS::ECS::Service'), ({ NetworkConfiguration }) =>
      JSON.stringify(NetworkConfiguration).includes('"AssignPublicIp":"DISABLED"'),
    ),
};

/** Controls that every stage meets since its templates say what was so anyway. */
const alwaysMet: Readonly<Record<string, (resources: readonly Resource[]) => readonly Resource[]>> = {
  'CT.EC2.PR.11, no subnet gives addresses by itself': (resources) =>
    without(ofType(resources, 'AWS::EC2::Subnet'), ({ MapPublicIpOnLaunch }) => MapPublicIpOnLaunch === false),
  'CT.ECS.PR.7, a limit of memory for each container': (resources) =>
    without(ofType(resources, 'AWS::ECS::TaskDefinition'), ({ Memory, ContainerDefinitions }) =>
      (ContainerDefinitions as Record<string, unknown>[]).every((one) => String(one['Memory']) === Memory),
    ),
  'CT.KMS.PR.3, no grants of the key but to services of AWS': (resources) =>
    without(ofType(resources, 'AWS::KMS::Key'), ({ KeyPolicy }) =>
      (KeyPolicy as { Statement: Record<string, unknown>[] }).Statement.some(
        ({ Effect, Action, Condition }) =>
          Effect === 'Deny' &&
          Action === 'kms:CreateGrant' &&
          JSON.stringify(Condition) ===
            '{"BoolIfExists":{"kms:GrantIsForAWSResource":"false","aws:PrincipalIsAWSService":"false"}}',
      ),
    ),
  'CT.SQS.PR.1, a queue for dead letters, or one that is known as such': (resources) =>
    without(
      ofType(resources, 'AWS::SQS::Queue'),
      ({ RedrivePolicy, RedriveAllowPolicy }) =>
        typeof (RedrivePolicy as Record<string, unknown> | undefined)?.['deadLetterTargetArn'] === 'string' ||
        JSON.stringify(RedriveAllowPolicy) === '{"redrivePermission":"allowAll"}',
    ),
  'CT.LAMBDA.PR.2, nobody but those who are named calls a function': (resources) =>
    without(ofType(resources, 'AWS::Lambda::Permission'), ({ SourceArn }) => typeof SourceArn === 'string'),
};

const usual = synthesizeStage({});
const strict = synthesizeStage(stages['strict account']);
const everything = synthesizeStage(stages['everything that may be asked for']);

describe('a strict account', () => {
  const withSetting = unmetRules.filter(({ setting }) => setting !== undefined);

  it.each(withSetting)('has $control met by the setting $setting, and not by the usual ones', ({ control }) => {
    const find = breaches[control] ?? (() => []);

    expect(find(usual).length).toBeGreaterThan(0);
    expect(find(strict)).toEqual([]);
  });

  it.each(Object.entries(alwaysMet))('has %s with any settings', (_, find) => {
    for (const resources of [usual, strict, everything]) expect(find(resources)).toEqual([]);
  });

  it('gets the settings that the page for deploys names, and no others', () => {
    const named = withSetting.map(({ setting = '' }) => setting.split('=')[0]);

    expect(new Set(Object.keys(stages['strict account']))).toEqual(new Set(named));
  });

  it('reads every rule that is not met on the page for deploys, with its setting or a reason', () => {
    const page = readFileSync(new URL('../../../docs/deploy.md', import.meta.url), 'utf8');
    const rows = [...page.matchAll(/^\| [^|]+ \| (CT\.[A-Z0-9]+\.PR\.\d+) +\| (.+?) +\|$/gm)].map(
      ([, control = '', text = '']) => [control, /^`(\w+(?:=\w+)?)`/.exec(text)?.[1]] as const,
    );

    expect(rows).toEqual(unmetRules.map(({ control, setting }) => [control, setting]));
  });
});

function without(
  resources: readonly Resource[],
  isMet: (properties: Readonly<Record<string, unknown>>) => boolean,
): readonly Resource[] {
  return resources.filter(({ properties }) => !isMet(properties));
}

function isFilled(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}
