import { Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Construct } from 'constructs';
import { accessStatements, objectStatements } from '../access/accessStatements.ts';
import { holdfastMetric } from '../alarms/holdfastMetric.ts';
import { Handler } from '../constructs/handler.ts';
import { acknowledgeObjects } from '../constructs/objectAccess.ts';
import { RunbookAlarm } from '../constructs/runbookAlarm.ts';
import { objectEnvironment, storeEnvironment } from '../settings/environment.ts';
import { reservesConcurrency, smallConcurrency } from '../settings/concurrency.ts';
import type { Settings } from '../settings/settings.ts';

export interface ScheduleStackProps extends StackProps {
  readonly settings: Settings;
  /** The key that seals objects. */
  readonly dataKeyArn: string;
}

/** The functions that run by the clock, each minute: reconcile, dispatch and archive. */
export class ScheduleStack extends Stack {
  constructor(scope: Construct, id: string, props: ScheduleStackProps) {
    super(scope, id, props);
    const { settings } = props;
    const reconcile = new Handler(this, 'reconcile', {
      settings,
      name: 'reconcile',
      code: 'functions/reconcile/entry.ts',
      // Where one run at a time is reserved, it has time to catch up after an outage; otherwise it ends before the next.
      timeoutSeconds: reservesConcurrency(settings) ? 300 : 55,
      reservedConcurrency: smallConcurrency.reconcile,
      environment: storeEnvironment(this, settings),
      statements: accessStatements(this, settings, 'reconcile'),
    });
    this.#eachMinute('EachMinute', reconcile, settings, {
      id: 'reconcile-silent',
      heading: 'Reconcile does not run',
      sentence: 'Reconcile did not run for 15 minutes.',
    });
    const dispatch = new Handler(this, 'dispatch', {
      settings,
      name: 'dispatch',
      code: 'functions/dispatch/entry.ts',
      // A run ends before the next begins: what it leaves is first in that.
      timeoutSeconds: 55,
      reservedConcurrency: smallConcurrency.dispatch,
      environment: storeEnvironment(this, settings),
      statements: accessStatements(this, settings, 'dispatch'),
    });
    this.#eachMinute('DispatchEachMinute', dispatch, settings, {
      id: 'dispatch-silent',
      heading: 'Dispatch does not run',
      sentence: 'Dispatch did not run for 15 minutes: scheduled messages do not leave.',
    });
    this.#addArchive(props);
  }

  #addArchive({ settings, dataKeyArn }: ScheduleStackProps): void {
    const { stage } = settings;
    const archive = new Handler(this, 'archive', {
      settings,
      name: 'archive',
      code: 'functions/archive/entry.ts',
      // A run ends before the next begins. What has a step of megabytes in hand ends it within 20 s.
      timeoutSeconds: 58,
      reservedConcurrency: smallConcurrency.archive,
      environment: { ...storeEnvironment(this, settings), ...objectEnvironment(this, settings) },
      statements: [
        ...accessStatements(this, settings, 'archive'),
        ...objectStatements(this, settings, 'archive', dataKeyArn),
      ],
    });
    acknowledgeObjects(archive.role, stage);
    this.#eachMinute('ArchiveEachMinute', archive, settings, {
      id: 'archive-silent',
      heading: 'Archive does not run',
      sentence: 'Archive did not run for 15 minutes: no export, erasure of a contact or deletion of a tenant goes on.',
    });
    new RunbookAlarm(this, 'archive-stuck', {
      stage,
      metric: holdfastMetric(stage, 'ArchiveStuck', {}, { statistic: 'Sum', minutes: 5 }),
      threshold: 1,
      severity: 'ticket',
      heading: 'An export or an erasure stands still',
      sentence: 'An export, the erasure of a contact or the deletion of a tenant has come no further for an hour.',
    });
  }

  /** Calls a function each minute, and raises an alarm when it is not called. */
  #eachMinute(
    id: string,
    { lambda }: Handler,
    { stage }: Settings,
    silent: { readonly id: string; readonly heading: string; readonly sentence: string },
  ): void {
    new Rule(this, id, {
      schedule: Schedule.rate(Duration.minutes(1)),
      // The scheduler does not try again: the next minute is the retry.
      targets: [new LambdaFunction(lambda, { retryAttempts: 0, maxEventAge: Duration.minutes(1) })],
    });
    new RunbookAlarm(this, silent.id, {
      stage,
      metric: lambda.metricInvocations({ statistic: 'Sum', period: Duration.minutes(5) }),
      threshold: 1,
      comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
      periods: 3,
      missingData: TreatMissingData.BREACHING,
      severity: 'ticket',
      heading: silent.heading,
      sentence: silent.sentence,
    });
  }
}
