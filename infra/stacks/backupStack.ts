import { ArnFormat, CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { BackupPlan, BackupPlanRule, BackupResource, BackupVault } from 'aws-cdk-lib/aws-backup';
import { Schedule } from 'aws-cdk-lib/aws-events';
import { MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { acknowledge } from '../constructs/acknowledge.ts';
import { RunbookAlarm } from '../constructs/runbookAlarm.ts';
import { tableName } from '../../shared/platform/tables.ts';
import { tableArn } from '../settings/resources.ts';
import type { Settings } from '../settings/settings.ts';

/**
 * The tables that are backed up. Fleet is not among them: it is about processes that are gone by the time of a restore.
 */
const backedUp = ['core', 'sessions'] as const;

export interface BackupStackProps extends StackProps {
  readonly settings: Pick<Settings, 'stage' | 'backupDays' | 'backupCopyVaultArn'>;
}

/** The jobs of a vault that did not come to their end. Source: AWS Backup, "AWS Backup metrics with CloudWatch". */
const JOBS_THAT_FAIL = ['BackupJobsFailed', 'BackupJobsExpired', 'BackupJobsAborted', 'CopyJobsFailed'] as const;

/**
 * A backup each night, beside point-in-time recovery, which is lost together with its table, its account or its region.
 * Backups are kept in a vault of their own and, if the stage names one, copied to a vault elsewhere. They are kept no
 * longer than deleted data may come back. The stack is one of its own, so that a fault in it takes back no tables.
 */
export class BackupStack extends Stack {
  constructor(scope: Construct, id: string, props: BackupStackProps) {
    super(scope, id, { ...props, terminationProtection: true });
    const { stage, backupDays, backupCopyVaultArn } = props.settings;
    const arns = backedUp.map((table) => tableArn(this, stage, table));
    const vault = new BackupVault(this, 'Backups', {
      backupVaultName: `${stage}-backups`,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    const deleteAfter = Duration.days(backupDays);
    const plan = new BackupPlan(this, 'BackupPlan', {
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
                    destinationBackupVault: BackupVault.fromBackupVaultArn(this, 'Elsewhere', backupCopyVaultArn),
                    deleteAfter,
                  },
                ],
              }),
        }),
      ],
    });
    plan.addSelection('Tables', {
      resources: arns.map((arn) => BackupResource.fromArn(arn)),
      role: makeBackupRole(this, stage, backupCopyVaultArn),
      // The role has a policy of its own, because the one that AWS manages may back up and delete everything in the
      // account.
      disableDefaultBackupPolicy: true,
    });
    const restoreRole = makeRestoreRole(this, stage, vault);
    new CfnOutput(this, 'RestoreRoleArn', {
      description: 'The role with which AWS Backup puts tables back from the vault (infra/operations.md)',
      value: restoreRole.roleArn,
    });
    this.#addAlarm(stage, vault.backupVaultName);
  }

  #addAlarm(stage: string, vaultName: string): void {
    const period = Duration.hours(1);
    const jobs = JOBS_THAT_FAIL.map(
      (name) =>
        new Metric({
          namespace: 'AWS/Backup',
          metricName: `NumberOf${name}`,
          dimensionsMap: { BackupVaultName: vaultName },
          statistic: 'Sum',
          period,
        }),
    );
    new RunbookAlarm(this, 'backup-fails', {
      stage,
      severity: 'ticket',
      metric: new MathExpression({
        // A metric that was never reported counts as nothing.
        expression: jobs.map((_, index) => `FILL(jobs${index}, 0)`).join(' + '),
        usingMetrics: Object.fromEntries(jobs.map((metric, index) => [`jobs${index}`, metric])),
        period,
        label: 'backups and copies that failed',
      }),
      threshold: 1,
      heading: 'A backup fails',
      sentence: 'A nightly backup, or its copy to another vault, did not come to its end.',
    });
  }
}

/**
 * Makes the role of the backups. Source: AWS Backup Developer Guide, "AWSBackupServiceRolePolicyForBackup", its
 * statements for DynamoDB and for copies.
 */
function makeBackupRole(scope: Construct, stage: string, copyVaultArn: string | undefined): Role {
  const arns = backedUp.map((table) => tableArn(scope, stage, table));
  const role = makeRole(scope, 'BackupRole');
  allow(role, ['CreateBackup', 'DescribeTable', 'ListTagsOfResource', 'StartAwsBackupJob'].map(toTableAction), arns);
  allow(
    role,
    ['DeleteBackup', 'DescribeBackup'].map(toTableAction),
    arns.map((arn) => `${arn}/backup/*`),
  );
  if (copyVaultArn !== undefined) {
    allow(role, ['backup:CopyIntoBackupVault', 'backup:DescribeBackupVault'], [copyVaultArn]);
  }
  acknowledgeBackups(role, stage, 'A backup has no name before it is made; these are backups of two tables alone.');
  return role;
}

/**
 * Makes the role with which a person has AWS Backup put a table back: into the tables of this stage and their restored
 * twins, and into no other. Source: AWS Backup Developer Guide, "AWSBackupServiceRolePolicyForRestores".
 */
function makeRestoreRole(scope: Construct, stage: string, vault: BackupVault): Role {
  const arns = backedUp.map((table) => tableArn(scope, stage, table));
  const role = makeRole(scope, 'RestoreRole');
  const items = ['BatchWriteItem', 'DeleteItem', 'DescribeTable', 'GetItem', 'PutItem', 'Query', 'Scan', 'UpdateItem'];
  allow(role, items.map(toTableAction), [...arns, ...arns.map((arn) => `${arn}-restored`)]);
  allow(
    role,
    ['RestoreTableFromBackup', 'RestoreTableFromAwsBackup'].map(toTableAction),
    arns.map((arn) => `${arn}/backup/*`),
  );
  const points = Stack.of(scope).formatArn({
    service: 'backup',
    resource: 'recovery-point',
    resourceName: '*',
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  allow(role, ['dynamodb:RestoreTableFromAwsBackup', 'backup:StartRestoreJob'], [points]);
  role.node.addDependency(vault);
  acknowledgeBackups(role, stage, 'A backup has no name before it is made; a restore takes any of two tables.');
  acknowledge(
    role,
    'A recovery point has no name before it is made, and its ARN does not hold its vault.',
    'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:backup:<AWS::Region>:<AWS::AccountId>:recovery-point:*]',
  );
  return role;
}

function makeRole(scope: Construct, id: string): Role {
  return new Role(scope, id, { assumedBy: new ServicePrincipal('backup.amazonaws.com') });
}

function allow(role: Role, actions: readonly string[], resources: readonly string[]): void {
  role.addToPolicy(new PolicyStatement({ actions: [...actions], resources: [...resources] }));
}

function toTableAction(name: string): string {
  return `dynamodb:${name}`;
}

function acknowledgeBackups(role: Role, stage: string, reason: string): void {
  const findings = backedUp.map(
    (table) =>
      `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:dynamodb:<AWS::Region>:<AWS::AccountId>:table/${tableName(stage, table)}/backup/*]`,
  );
  acknowledge(role, reason, ...findings);
}
