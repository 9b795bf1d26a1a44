import { describe, expect, it } from 'vitest';
import { processAccess } from '../../infra/access/access.ts';
import type { ProcessName } from '../../infra/access/processAccess.ts';
import { SHARD_INDEX, tableDefinitions } from '../../shared/platform/tables.ts';
import { ACCOUNT, ofType, REGION, synthesizeStage } from '../infra/synthesizeStage.ts';
import { nameOf, permissionsOf } from './permissions.ts';

const resources = synthesizeStage({
  canaryKeyParameter: '/holdfast/test/canary',
  canaryConnectionId: 'con_canary',
  streamDomainName: 'streams.example.com',
  streamCertificateArn: `arn:aws:acm:${REGION}:${ACCOUNT}:certificate/one`,
});
/** The processes that run as tasks; all others are functions. */
const tasks: ReadonlySet<ProcessName> = new Set(['worker', 'restore', 'stream']);
const listOf = (value: unknown): readonly string[] => (Array.isArray(value) ? value : [value]).map(String);

type Statement = Readonly<Record<'Effect' | 'Action' | 'Resource' | 'Condition', unknown>>;

/** What the table of access calls a resource; undefined for all that it does not speak of. */
function resourceName(arn: string): string | undefined {
  const queues: Readonly<Record<string, string>> = {
    'test-command-0???.fifo': 'commands',
    'test-command-dead.fifo': 'commandsDead',
    'test-events-00.fifo': 'events',
    'test-events-dead.fifo': 'eventsDead',
    'test-deliveries': 'deliveries',
    'test-deliveries-slow': 'slowDeliveries',
    'test-deliveries-dead': 'deliveriesDead',
    'test-media': 'media',
    'test-media-dead': 'mediaDead',
  };
  const table = `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/test-`;
  if (arn.startsWith(table)) return arn.slice(table.length);
  if (arn.startsWith('arn:aws:s3:::test-holdfast-media-')) return 'media';
  return queues[arn.slice(`arn:aws:sqs:${REGION}:${ACCOUNT}:`.length)];
}

function permissionsInTemplates(process: ProcessName, role: string): readonly string[] {
  const documents = [
    ...ofType(resources, 'AWS::IAM::Policy')
      .filter(({ properties }) => listOf(properties['Roles']).includes(role))
      .map(({ properties }) => properties['PolicyDocument']),
    ...ofType(resources, 'AWS::IAM::Role')
      .filter(({ id }) => id === role)
      .flatMap(({ properties }) => (properties['Policies'] ?? []) as readonly Record<string, unknown>[])
      .map((policy) => policy['PolicyDocument']),
  ];
  return documents
    .flatMap((document) => (document as { readonly Statement: readonly Statement[] }).Statement)
    .flatMap(({ Action, Resource, Condition }) =>
      listOf(Action)
        .filter((action) => /^(dynamodb|sqs|kms|s3):/.test(action))
        .flatMap((action) =>
          listOf(Resource).map((arn) => {
            const keys = (Condition as Record<string, Record<string, readonly string[]>> | undefined)?.[
              'ForAllValues:StringLike'
            ]?.['dynamodb:LeadingKeys'];
            // The key of the bucket is the stage's own: a role may use it through S3 alone.
            const key = JSON.stringify(Condition ?? {}).includes('kms:ViaService') ? 'key of the bucket' : 'data key';
            const resource = action.startsWith('kms:') ? key : (resourceName(arn) ?? arn);
            return nameOf({ caller: process, action, resource, keys });
          }),
        ),
    );
}

describe('the roles that are deployed', () => {
  const roleOf = (process: ProcessName): string => {
    const arn = tasks.has(process)
      ? ofType(resources, 'AWS::ECS::TaskDefinition').find(
          ({ properties }) => properties['Family'] === `test-${process}`,
        )?.properties['TaskRoleArn']
      : ofType(resources, 'AWS::Lambda::Function').find(
          ({ properties }) =>
            properties['FunctionName'] ===
            `test-${process.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
        )?.properties['Role'];
    return String(arn).split('.')[0] ?? '';
  };

  it.each(Object.keys(processAccess) as readonly ProcessName[])(
    'allow %s on tables, queues, files and keys exactly what the table of access says, which the run below compares with the calls',
    (process) => {
      const allowed = permissionsInTemplates(process, roleOf(process));

      expect(new Set(allowed)).toEqual(new Set(permissionsOf({ [process]: processAccess[process] }).map(nameOf)));
    },
  );

  it('speak of every table and index by the names that the code calls them by', () => {
    const named = Object.values(processAccess).flatMap(({ tables }) =>
      tables.map(({ table, onShardIndex }) => (onShardIndex === true ? `${table}/index/${SHARD_INDEX.name}` : table)),
    );

    const defined = tableDefinitions.flatMap(({ name, indexes }) => [
      name,
      ...indexes.map((index) => `${name}/index/${index.name}`),
    ]);
    expect(new Set(named)).toEqual(new Set(defined));
  });
});
