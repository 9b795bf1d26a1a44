import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Stack } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import {
  commandQueueName,
  deliveryQueueName,
  eventQueueName,
  eventQueueNames,
  mediaQueueName,
  slowDeliveryQueueName,
} from '../../shared/platform/queues.ts';
import { processAccess } from './access.ts';
import type { ObjectAction, ProcessAccess, ProcessName, QueueName, TableAccess } from './processAccess.ts';
import { deadLettersOf } from '../settings/queueDefinition.ts';
import { commandQueueArns, mediaBucketArn, queueArn, shardIndexArn, tableArn } from '../settings/resources.ts';
import type { Settings } from '../settings/settings.ts';

type Stage = Pick<Settings, 'stage' | 'shardCount' | 'eventQueues'>;

/** The rows of a process in the table of access, as statements for its role. */
export function accessStatements(scope: IConstruct, settings: Stage, process: ProcessName): readonly PolicyStatement[] {
  return statementsOf(scope, settings, processAccess[process]);
}

/** A row of the table of access, or of the one for people, as statements. */
export function statementsOf(scope: IConstruct, settings: Stage, access: ProcessAccess): readonly PolicyStatement[] {
  const { tables, queues } = access;
  return [
    ...tables.map((access) => tableStatement(scope, settings.stage, access)),
    ...queues.map(
      ({ queue, actions }) =>
        new PolicyStatement({
          actions: actions.map((action) => `sqs:${action}`),
          resources: [...queueArns(scope, settings, queue)],
        }),
    ),
  ];
}

/**
 * The permission to wrap and unwrap data keys, only for a named tenant and connection: a call whose encryption context
 * lacks one of them, or holds anything else, is refused, so that each use says in the audit trail whose keys it was
 * for.
 */
export function dataKeyStatement(keyArn: string): PolicyStatement {
  return new PolicyStatement({
    actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
    resources: [keyArn],
    conditions: {
      Null: { 'kms:EncryptionContext:tenantId': 'false', 'kms:EncryptionContext:connectionId': 'false' },
      'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': ['tenantId', 'connectionId'] },
    },
  });
}

/** What opening and sealing objects needs of the key of their bucket. */
const KEY_ACTIONS: Readonly<Partial<Record<ObjectAction, string>>> = {
  GetObject: 'kms:Decrypt',
  PutObject: 'kms:GenerateDataKey',
};

const WRITING: ReadonlySet<ObjectAction> = new Set([
  'AbortMultipartUpload',
  'DeleteObject',
  'ListMultipartUploadParts',
  'PutObject',
]);

/**
 * The access of a process to the files of messages. The key is used by S3 alone, and for this bucket alone: with it no
 * data key of a connection can be unwrapped.
 */
export function objectStatements(
  scope: IConstruct,
  { stage }: Pick<Settings, 'stage'>,
  process: ProcessName,
  keyArn: string,
): readonly PolicyStatement[] {
  const { objects: actions = [], writtenObjects } = processAccess[process];
  const [bucket, { region, urlSuffix }] = [mediaBucketArn(scope, stage), Stack.of(scope)];
  const ofBucket = actions.filter((action) => action === 'ListBucket');
  const written = actions.filter((action) => writtenObjects !== undefined && WRITING.has(action));
  const ofObjects = actions.filter((action) => action !== 'ListBucket' && !written.includes(action));
  const statement = (of: readonly ObjectAction[], resource: string) =>
    new PolicyStatement({ actions: of.map((action) => `s3:${action}`), resources: [resource] });
  return [
    statement(ofObjects, `${bucket}/*`),
    ...(written.length === 0 ? [] : [statement(written, `${bucket}/${writtenObjects}`)]),
    ...(ofBucket.length === 0 ? [] : [statement(ofBucket, bucket)]),
    new PolicyStatement({
      actions: actions.flatMap((action) => KEY_ACTIONS[action] ?? []),
      resources: [keyArn],
      conditions: {
        StringEquals: {
          'kms:ViaService': `s3.${region}.${urlSuffix}`,
          'kms:EncryptionContext:aws:s3:arn': bucket,
        },
      },
    }),
  ];
}

function tableStatement(scope: IConstruct, stage: string, access: TableAccess): PolicyStatement {
  const { table, onShardIndex, keys, actions } = access;
  return new PolicyStatement({
    actions: actions.map((action) => `dynamodb:${action}`),
    resources: [onShardIndex === true ? shardIndexArn(scope, stage) : tableArn(scope, stage, table)],
    ...(keys === undefined ? {} : { conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [...keys] } } }),
  });
}

function queueArns(scope: IConstruct, of: Stage, queue: QueueName): readonly string[] {
  const { stage, shardCount, eventQueues } = of;
  if (queue === 'commands') return commandQueueArns(scope, stage, shardCount);
  if (queue === 'events') return eventQueueNames(stage, eventQueues).map((name) => queueArn(scope, name));
  const names = {
    commandsDead: deadLettersOf(stage, commandQueueName(stage, 0)),
    eventsDead: deadLettersOf(stage, eventQueueName(stage)),
    deliveries: deliveryQueueName(stage),
    slowDeliveries: slowDeliveryQueueName(stage),
    deliveriesDead: deadLettersOf(stage, deliveryQueueName(stage)),
    media: mediaQueueName(stage),
    mediaDead: deadLettersOf(stage, mediaQueueName(stage)),
  } as const;
  return [queueArn(scope, names[queue])];
}
