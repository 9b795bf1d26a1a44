import { Duration } from 'aws-cdk-lib';
import { ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { ICluster } from 'aws-cdk-lib/aws-ecs';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Function as LambdaFunctionResource } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { accessStatements } from '../access/accessStatements.ts';
import { acknowledgeTasks, tasksStatement } from '../constructs/ownTasks.ts';
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
    code: 'functions/watchdog/entry.ts',
    timeoutSeconds: TIMEOUT_SECONDS,
    reservedConcurrency: smallConcurrency.watchdog,
    environment: watchdogEnvironment(scope, settings, cluster.clusterArn),
    statements: [...accessStatements(scope, settings, 'watchdog'), tasksStatement(scope, cluster, 'ecs:StopTask')],
  });
  acknowledgeTasks(role, cluster);
  new Rule(scope, 'WatchdogMinute', {
    schedule: Schedule.rate(Duration.minutes(1)),
    // The scheduler does not try again: the next minute is the retry.
    targets: [new LambdaFunction(lambda, { retryAttempts: 0, maxEventAge: Duration.minutes(1) })],
  });
  addAlarms(scope, settings.stage, lambda);
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
