import { ArnFormat, Stack, type App } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, TreatMissingData, type IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { assertInRunbook } from '../settings/runbookHeadings.ts';

/** `page` wakes a person, `ticket` waits for the morning, `none` serves another alarm only. */
export type Severity = 'page' | 'ticket' | 'none';

export interface AlarmText {
  readonly stage: string;
  readonly severity: Severity;
  /** The heading in infra/runbook.md under which the alarm is explained. */
  readonly heading: string;
  /** One sentence that says what is wrong when the alarm sounds. */
  readonly sentence: string;
}

export interface RunbookAlarmProps extends AlarmText {
  readonly metric: IMetric;
  readonly threshold: number;
  /** "At or over the threshold" when left out. */
  readonly comparison?: ComparisonOperator;
  readonly periods?: number;
  /**
   * The number of latest periods of which `periods` must be beyond the threshold; the same as `periods` when left out.
   */
  readonly ofPeriods?: number;
  /** What missing data means; when left out, that all is well. */
  readonly missingData?: TreatMissingData;
}

/**
 * An alarm whose text ends with its heading in the runbook, and which notifies its topic when it sounds and when it is
 * over.
 */
export class RunbookAlarm extends Alarm {
  constructor(scope: Construct, id: string, props: RunbookAlarmProps) {
    super(scope, id, {
      alarmName: alarmName(props.stage, id),
      alarmDescription: alarmDescription(props),
      metric: props.metric,
      threshold: props.threshold,
      comparisonOperator: props.comparison ?? ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: props.ofPeriods ?? props.periods ?? 1,
      ...(props.ofPeriods === undefined ? {} : { datapointsToAlarm: props.periods ?? 1 }),
      treatMissingData: props.missingData ?? TreatMissingData.NOT_BREACHING,
    });
    tellTopic(this, props);
  }
}

/** The name of an alarm, for example `prod-events-late`. */
export function alarmName(stage: string, id: string): string {
  return `${stage}-${id}`;
}

/** The text that a person reads first: the sentence, and where to read on. Throws when there is nothing to read on. */
export function alarmDescription({ sentence, heading }: AlarmText): string {
  assertInRunbook(heading);
  return `${sentence} Runbook: ${heading}`;
}

/** The name of the topic to which alarms of a severity are sent. */
export function alarmTopicName(stage: string, severity: LoudSeverity): string {
  return `${stage}-alarms-${severity}`;
}

type LoudSeverity = Exclude<Severity, 'none'>;
const TOPICS = 'holdfast:alarmTopics';
const PARTS = 'holdfast:alarmParts';

/** Sends the alarms of all stacks of an app to topics that exist, instead of those that the stage makes. */
export function useAlarmTopics(app: App, arns: Readonly<Record<LoudSeverity, string>>): void {
  app.node.setContext(TOPICS, arns);
}

/** Sends alarms that serve another alarm only to the topic of tickets, instead of nowhere. */
export function tellOfAlarmParts(app: App): void {
  app.node.setContext(PARTS, true);
}

/**
 * Connects an alarm with its topic by name, not by reference, so that the stacks need not be deployed in the order of
 * their alarms.
 */
export function tellTopic(
  alarm: Pick<Alarm, 'addAlarmAction' | 'addOkAction' | 'stack'>,
  { stage, severity: wanted }: AlarmText,
): void {
  const { node } = alarm.stack;
  const severity = wanted === 'none' && node.tryGetContext(PARTS) === true ? 'ticket' : wanted;
  if (severity === 'none') return;
  const given = node.tryGetContext(TOPICS) as Readonly<Record<LoudSeverity, string>> | undefined;
  const alarmActionArn =
    given?.[severity] ??
    Stack.of(alarm.stack).formatArn({
      service: 'sns',
      resource: alarmTopicName(stage, severity),
      arnFormat: ArnFormat.NO_RESOURCE_NAME,
    });
  alarm.addAlarmAction({ bind: () => ({ alarmActionArn }) });
  alarm.addOkAction({ bind: () => ({ alarmActionArn }) });
}
