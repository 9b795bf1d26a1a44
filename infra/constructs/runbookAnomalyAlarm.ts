import { AnomalyDetectionAlarm, ComparisonOperator, TreatMissingData, type IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { alarmDescription, alarmName, tellTopic, type AlarmText } from './runbookAlarm.ts';

export interface RunbookAnomalyAlarmProps extends AlarmText {
  readonly metric: IMetric;
}

/** The width of the band: standard deviations around what CloudWatch has learned from two weeks. */
const BAND = 3;

/**
 * An alarm that sounds when a metric is above its usual band in three periods in a row; for metrics of which no one
 * threshold is right for every fleet.
 */
export class RunbookAnomalyAlarm extends AnomalyDetectionAlarm {
  constructor(scope: Construct, id: string, props: RunbookAnomalyAlarmProps) {
    super(scope, id, {
      alarmName: alarmName(props.stage, id),
      alarmDescription: alarmDescription(props),
      metric: props.metric,
      stdDevs: BAND,
      comparisonOperator: ComparisonOperator.GREATER_THAN_UPPER_THRESHOLD,
      evaluationPeriods: 3,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    tellTopic(this, props);
  }
}
