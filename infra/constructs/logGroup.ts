import { RemovalPolicy } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { Settings } from '../settings/settings.ts';

/**
 * A log group of the stage, `/holdfast/<stage>/<name>`: its lines expire, it goes with its stack, and it is encrypted
 * with the stage's own key where one is named.
 */
export function makeLogGroup(
  scope: Construct,
  id: string,
  { stage, logRetentionDays, logKeyArn }: Pick<Settings, 'stage' | 'logRetentionDays' | 'logKeyArn'>,
  name: string,
): LogGroup {
  return new LogGroup(scope, id, {
    logGroupName: `/holdfast/${stage}/${name}`,
    retention: logRetentionDays,
    removalPolicy: RemovalPolicy.DESTROY,
    ...(logKeyArn === undefined ? {} : { encryptionKey: Key.fromKeyArn(scope, `${id}Key`, logKeyArn) }),
  });
}
