import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { BackupPlan, BackupPlanRule, BackupResource, BackupVault } from 'aws-cdk-lib/aws-backup';
import { Schedule } from 'aws-cdk-lib/aws-events';
import { Effect, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { acknowledge } from '../constructs/acknowledge.ts';
import { tableName } from '../../shared/platform/tables.ts';
import { tableArn } from '../settings/resources.ts';
import type { Settings } from '../settings/settings.ts';

/**
 * The tables that are backed up. Fleet is not among them: it is about processes that are gone by the time of a restore.
 */
const backedUp = ['core', 'sessions'] as const;

/**
 * A backup each night, beside point-in-time recovery, which is lost together with its table, its account or its region.
 * Backups are kept in a vault of their own and, if the stage names one, copied to a vault elsewhere. They are kept no
 * longer than deleted data may come back.
 */
export function addBackups(
  scope: Construct,
  { stage, backupDays, backupCopyVaultArn }: Pick<Settings, 'stage' | 'backupDays' | 'backupCopyVaultArn'>,
): void {
  const arns = backedUp.map((table) => tableArn(scope, stage, table));
  const vault = new BackupVault(scope, 'Backups', {
    backupVaultName: `${stage}-backups`,
    removalPolicy: RemovalPolicy.RETAIN,
  });
  const deleteAfter = Duration.days(backupDays);
  const plan = new BackupPlan(scope, 'BackupPlan', {
    backupPlanName: `${stage}-nightly`,
    backupVault: vault,
    backupPlanRules: [
      new BackupPlanRule({
        ruleName: 'nightly',
        scheduleExpression: Schedule.cron({ hour: '3', minute: '15' }),
        startWindow: Duration.hours(1),
        completionWindow: Duration.hours(8),
        deleteAfter,
        ...(backupCopyVaultArn === undefined
          ? {}
          : {
              copyActions: [
                {
                  destinationBackupVault: BackupVault.fromBackupVaultArn(scope, 'Elsewhere', backupCopyVaultArn),
                  deleteAfter,
                },
              ],
            }),
      }),
    ],
  });
  plan.addSelection('Tables', {
    resources: arns.map((arn) => BackupResource.fromArn(arn)),
    role: makeRole(scope, stage, backupCopyVaultArn),
    // The role has a policy of its own, because the one that AWS manages may back up and delete everything in the
    // account.
    disableDefaultBackupPolicy: true,
  });
}

/**
 * Makes the role of the backups. Source: AWS Backup Developer Guide, "AWSBackupServiceRolePolicyForBackup", its
 * statements for DynamoDB and for copies.
 */
function makeRole(scope: Construct, stage: string, copyVaultArn: string | undefined): Role {
  const arns = backedUp.map((table) => tableArn(scope, stage, table));
  const role = new Role(scope, 'BackupRole', { assumedBy: new ServicePrincipal('backup.amazonaws.com') });
  const allow = (actions: readonly string[], resources: readonly string[]): void => {
    role.addToPolicy(new PolicyStatement({ effect: Effect.ALLOW, actions: [...actions], resources: [...resources] }));
  };
  allow(
    ['dynamodb:CreateBackup', 'dynamodb:DescribeTable', 'dynamodb:ListTagsOfResource', 'dynamodb:StartAwsBackupJob'],
    arns,
  );
  allow(
    ['dynamodb:DeleteBackup', 'dynamodb:DescribeBackup'],
    arns.map((arn) => `${arn}/backup/*`),
  );
  if (copyVaultArn !== undefined) allow(['backup:CopyIntoBackupVault', 'backup:DescribeBackupVault'], [copyVaultArn]);
  acknowledge(
    role,
    'A backup has no name before it is made; these are backups of two tables alone.',
    ...backedUp.map(
      (table) =>
        `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:dynamodb:<AWS::Region>:<AWS::AccountId>:table/${tableName(stage, table)}/backup/*]`,
    ),
  );
  return role;
}
