import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import type { RunbookAlarmProps } from '../constructs/runbookAlarm.ts';

/** An alarm without its stage. The key of its row is its name; the runbook has a section for its heading. */
export interface AlarmRow extends Omit<RunbookAlarmProps, 'stage' | 'metric'> {
  readonly metric: (stage: string) => IMetric;
}
