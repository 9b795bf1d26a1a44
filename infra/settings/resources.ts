import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { commandQueueName } from '../../shared/platform/queues.ts';
import { SHARD_INDEX, tableName, type TableDefinition } from '../../shared/platform/tables.ts';

/** ARNs and URLs are made from names, so that stacks need no exports from each other and queues can grow alone. */
export function tableArn(scope: IConstruct, stage: string, table: TableDefinition['name']): string {
  return Stack.of(scope).formatArn({ service: 'dynamodb', resource: 'table', resourceName: tableName(stage, table) });
}

/** The ARN of the index of connections by shard. */
export function shardIndexArn(scope: IConstruct, stage: string): string {
  return `${tableArn(scope, stage, 'core')}/index/${SHARD_INDEX.name}`;
}

export function queueArn(scope: IConstruct, name: string): string {
  return Stack.of(scope).formatArn({ service: 'sqs', resource: name, arnFormat: ArnFormat.NO_RESOURCE_NAME });
}

/**
 * The ARNs of all command queues of shards, by their first digit: a star alone would match their dead-letter queues,
 * too.
 */
export function commandQueueArns(scope: IConstruct, stage: string, shardCount: number): readonly string[] {
  const thousands = Math.ceil(shardCount / 1_000);
  return Array.from({ length: thousands }, (_, digit) =>
    queueArn(scope, commandQueueName(stage, digit * 1_000).replace(/000\.fifo$/, '???.fifo')),
  );
}

/** The name of the bucket with the files of messages. All accounts of AWS share the names of buckets, so it has account and region in it. */
export function mediaBucketName(scope: IConstruct, stage: string): string {
  const { account, region } = Stack.of(scope);
  return `${stage}-holdfast-media-${account}-${region}`;
}

export function mediaBucketArn(scope: IConstruct, stage: string): string {
  const resource = mediaBucketName(scope, stage);
  return Stack.of(scope).formatArn({ service: 's3', region: '', account: '', resource });
}

/** The part of a queue's URL that stands before its name. */
export function queueUrlBase(scope: IConstruct): string {
  const { region, urlSuffix, account } = Stack.of(scope);
  return `https://sqs.${region}.${urlSuffix}/${account}/`;
}
