import { ArnFormat, CfnElement, Duration, Stack } from 'aws-cdk-lib';
import { ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { ICluster } from 'aws-cdk-lib/aws-ecs';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunctionResource } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { accessStatements } from '../access/accessStatements.ts';
import { acknowledge } from '../constructs/acknowledge.ts';
import { Handler } from '../constructs/handler.ts';
import { RunbookAlarm } from '../constructs/runbookAlarm.ts';
import { watchdogEnvironment } from '../settings/environment.ts';
import { holdfastMetric } from '../alarms/holdfastMetric.ts';
import { smallConcurrency } from '../settings/concurrency.ts';
import type { Settings } from '../settings/settings.ts';

/**
 * The function's timeout: a run ends before the next one begins. The longest run, which confirms a death, takes about
 * half of it.
 */
const TIMEOUT_SECONDS = 55;

/** Adds the watchdog: it runs each minute, outside the workers, beside the cluster whose tasks it may stop. */
export function addWatchdog(scope: Construct, settings: Settings, cluster: ICluster): void {
  const { lambda, role } = new Handler(scope, 'watchdog', {
    settings,
    name: 'watchdog',
    entry: 'functions/watchdog/entry.ts',
    timeoutSeconds: TIMEOUT_SECONDS,
    reservedConcurrency: smallConcurrency.watchdog,
    environment: watchdogEnvironment(scope, settings, cluster.clusterArn),
    statements: [...accessStatements(scope, settings, 'watchdog'), stopTaskStatement(scope, cluster)],
  });
  const { defaultChild } = cluster.node;
  const name = CfnElement.isCfnElement(defaultChild) ? Stack.of(scope).getLogicalId(defaultChild) : '';
  acknowledge(
    role,
    'Tasks are made and named by ECS: those of this cluster, which the condition says once more.',
    `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ecs:<AWS::Region>:<AWS::AccountId>:task/<${name}>/*]`,
  );
  new Rule(scope, 'WatchdogMinute', {
    schedule: Schedule.rate(Duration.minutes(1)),
    // The scheduler does not try again: the next minute is the retry.
    targets: [new LambdaFunction(lambda, { retryAttempts: 0, maxEventAge: Duration.minutes(1) })],
  });
  addAlarms(scope, settings.stage, lambda);
}

function stopTaskStatement(scope: Construct, cluster: ICluster): PolicyStatement {
  return new PolicyStatement({
    actions: ['ecs:StopTask'],
    resources: [
      Stack.of(scope).formatArn({
        service: 'ecs',
        resource: 'task',
        resourceName: `${cluster.clusterName}/*`,
        arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
      }),
    ],
    conditions: { ArnEquals: { 'ecs:cluster': cluster.clusterArn } },
  });
}

function addAlarms(scope: Construct, stage: string, lambda: LambdaFunctionResource): void {
  new RunbookAlarm(scope, 'watchdog-stopped-task', {
    stage,
    severity: 'ticket',
    metric: holdfastMetric(stage, 'WatchdogSteps', { rung: 'stop_task' }, { statistic: 'Sum', minutes: 5 }),
    threshold: 1,
    heading: 'Watchdog stopped a task',
    sentence: 'The watchdog had the task of a worker stopped.',
  });
  new RunbookAlarm(scope, 'watchdog-brake', {
    stage,
    severity: 'page',
    metric: holdfastMetric(stage, 'WatchdogBrake', {}, { statistic: 'Maximum', minutes: 1 }),
    threshold: 1,
    periods: 2,
    heading: 'Watchdog brake is on',
    sentence: 'For 2 minutes so much looked bad at once that the watchdog did no more than restart.',
  });
  new RunbookAlarm(scope, 'watchdog-silent', {
    stage,
    severity: 'page',
    metric: lambda.metricInvocations({ statistic: 'Sum', period: Duration.minutes(5) }),
    threshold: 1,
    comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
    periods: 3,
    missingData: TreatMissingData.BREACHING,
    heading: 'Watchdog does not run',
    sentence: 'The watchdog did not run for 15 minutes.',
  });
}
