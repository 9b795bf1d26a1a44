import { Duration } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { SHARD_INDEX, tableDefinitions, tableName } from '../../shared/platform/tables.ts';
import { RunbookAlarm } from '../constructs/runbookAlarm.ts';
import { RunbookAnomalyAlarm } from '../constructs/runbookAnomalyAlarm.ts';

/** How often a table refused a call because of its own limits or those of a partition. */
export function throttleMetric(stage: string, table: Parameters<typeof tableName>[1], kind: 'Read' | 'Write'): Metric {
  return new Metric({
    namespace: 'AWS/DynamoDB',
    metricName: `${kind}ThrottleEvents`,
    dimensionsMap: { TableName: tableName(stage, table) },
    statistic: 'Sum',
    period: Duration.minutes(5),
  });
}

/** An index takes the writes of its table, and throttles the table when it cannot. */
function indexThrottleMetric(stage: string, kind: 'Read' | 'Write'): Metric {
  return new Metric({
    namespace: 'AWS/DynamoDB',
    metricName: `${kind}ThrottleEvents`,
    dimensionsMap: { TableName: tableName(stage, 'core'), GlobalSecondaryIndexName: SHARD_INDEX.name },
    statistic: 'Sum',
    period: Duration.minutes(5),
  });
}

/** An alarm for each table or index and kind of call that it throttles, and one for what writes cost. */
export function addTableAlarms(scope: Construct, stage: string): void {
  for (const { name } of tableDefinitions) {
    for (const kind of ['Read', 'Write'] as const) {
      new RunbookAlarm(scope, `${name}-${kind.toLowerCase()}s-throttled`, {
        stage,
        severity: 'ticket',
        metric: throttleMetric(stage, name, kind),
        threshold: 1,
        heading: 'A table throttles',
        sentence: `DynamoDB refused ${kind.toLowerCase()}s of the table ${name} as too many.`,
      });
    }
  }
  for (const kind of ['Read', 'Write'] as const) {
    new RunbookAlarm(scope, `${SHARD_INDEX.name}-${kind.toLowerCase()}s-throttled`, {
      stage,
      severity: 'ticket',
      metric: indexThrottleMetric(stage, kind),
      threshold: 1,
      heading: 'A table throttles',
      sentence: `DynamoDB refused ${kind.toLowerCase()}s of the index ${SHARD_INDEX.name} of the table core as too many.`,
    });
  }
  new RunbookAnomalyAlarm(scope, 'session-writes-unusual', {
    stage,
    severity: 'ticket',
    metric: new Metric({
      namespace: 'AWS/DynamoDB',
      metricName: 'ConsumedWriteCapacityUnits',
      dimensionsMap: { TableName: tableName(stage, 'sessions') },
      statistic: 'Sum',
      period: Duration.hours(1),
    }),
    heading: 'Sessions cost more to write',
    sentence: 'The table of sessions takes more units of writing than it uses to.',
  });
}
