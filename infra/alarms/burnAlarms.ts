import { Duration } from 'aws-cdk-lib';
import { AlarmRule, AlarmState, CompositeAlarm, MathExpression, type Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import {
  alarmDescription,
  alarmName,
  RunbookAlarm,
  tellTopic,
  type AlarmText,
  type Severity,
} from '../constructs/runbookAlarm.ts';
import { toMetric } from '../dashboards/placeDashboards.ts';
import { objectivesOf, type Objective, type ObjectiveName } from '../dashboards/objectives.ts';
import type { Settings } from '../settings/settings.ts';

interface BurnWindow {
  readonly name: string;
  readonly severity: Exclude<Severity, 'none'>;
  /** How many times faster than the objective allows its share is used up. */
  readonly rate: number;
  /**
   * The alarm sounds while both windows burn: the long one shows that it matters, the short one that it still goes on,
   * so the alarm is over soon after its cause.
   */
  readonly longMinutes: number;
  readonly shortMinutes: number;
  /** The part of a month's share that is gone at this rate, in words. */
  readonly meaning: string;
}

/**
 * Google, "The Site Reliability Workbook", chapter 5, table 5-8, for objectives over 30 days. The last row there, three
 * days long, is left out: CloudWatch looks back a day at most in one period.
 */
const windows: readonly BurnWindow[] = [
  {
    name: 'fast',
    severity: 'page',
    rate: 14.4,
    longMinutes: 60,
    shortMinutes: 5,
    meaning: "2 % of a month's share went within an hour",
  },
  {
    name: 'steady',
    severity: 'page',
    rate: 6,
    longMinutes: 360,
    shortMinutes: 30,
    meaning: "5 % of a month's share went within six hours",
  },
  {
    name: 'slow',
    severity: 'ticket',
    rate: 3,
    longMinutes: 1_440,
    shortMinutes: 120,
    meaning: "10 % of a month's share went within a day",
  },
];

const headings: Readonly<Record<ObjectiveName, string>> = {
  messages: 'Messages do not end well',
  sends: 'Accepted messages wait',
  deliveries: 'Webhooks are late',
  connections: 'Connections are not online',
  api: 'API fails too often',
};

/**
 * Adds, for each objective, alarms that sound while its share of bad ones is used up too fast. `fast` adds the first
 * window only and without its short one: that costs a tenth, and the alarm is over up to an hour after its cause.
 */
export function addBurnAlarms(
  scope: Construct,
  { stage, burnAlarms }: Pick<Settings, 'stage' | 'burnAlarms'>,
  apiId: string,
): void {
  for (const objective of objectivesOf(stage, { apiId })) {
    for (const window of windows) {
      if (burnAlarms === 'all') addWindowPair(scope, stage, objective, window);
      else if (window.name === 'fast') addLongWindow(scope, stage, objective, window);
    }
  }
}

function textOf(
  stage: string,
  { name, title, percent }: Objective,
  { rate, severity, meaning }: BurnWindow,
): AlarmText {
  return {
    stage,
    severity,
    heading: headings[name],
    sentence: `The objective "${title}" (${percent} %) is missed ${rate} times faster than allowed: ${meaning}.`,
  };
}

/**
 * The name is that of the long window in a pair: a stage that gets pairs keeps this alarm, and the name of the pair is
 * free. CloudFormation lets no resource change its type, and CloudWatch no two alarms have one name.
 */
function addLongWindow(scope: Construct, stage: string, objective: Objective, window: BurnWindow): void {
  new RunbookAlarm(scope, `${objective.name}-burn-${window.name}-long`, {
    ...textOf(stage, objective, window),
    metric: badShare(objective, window.longMinutes),
    threshold: thresholdOf(objective, window),
  });
}

function addWindowPair(scope: Construct, stage: string, objective: Objective, window: BurnWindow): void {
  const id = `${objective.name}-burn-${window.name}`;
  const text = textOf(stage, objective, window);
  const threshold = thresholdOf(objective, window);
  const over = (minutes: number, part: string): RunbookAlarm =>
    new RunbookAlarm(scope, `${id}-${part}`, {
      ...text,
      severity: 'none',
      metric: badShare(objective, minutes),
      threshold,
      sentence: `Over ${minutes} minutes ${threshold} % or more missed the objective "${objective.title}".`,
    });
  const alarm = new CompositeAlarm(scope, id, {
    compositeAlarmName: alarmName(stage, id),
    alarmDescription: alarmDescription(text),
    alarmRule: AlarmRule.allOf(
      AlarmRule.fromAlarm(over(window.longMinutes, 'long'), AlarmState.ALARM),
      AlarmRule.fromAlarm(over(window.shortMinutes, 'short'), AlarmState.ALARM),
    ),
  });
  tellTopic(alarm, text);
}

/** The threshold as a percentage of bad ones. It is rounded, as binary fractions look odd in a sentence. */
function thresholdOf({ percent }: Objective, { rate }: BurnWindow): number {
  return Number((rate * (100 - percent)).toFixed(3));
}

/** The share of bad ones in percent; 0 when there are too few to say. */
function badShare({ measured, least }: Objective, minutes: number): MathExpression {
  const period = Duration.minutes(minutes);
  if (measured.by === 'rank') {
    return new MathExpression({
      expression: `IF(count >= ${least}, 100 - good, 0)`,
      usingMetrics: { good: toMetric(measured.good, minutes), count: toMetric(measured.count, minutes) },
      label: 'bad, percent',
      period,
    });
  }
  // Each metric appears once, as an alarm is billed by its metrics.
  const terms = new Map<string, Metric>();
  const sum = (all: typeof measured.all): string =>
    all
      .map((metric) => {
        const id = `m_${metric.label}`;
        terms.set(id, toMetric(metric, minutes));
        // A count of nothing is no data, and without FILL the expression would have no value.
        return `FILL(${id}, 0)`;
      })
      .join(' + ');
  const [bad, all] = [sum(measured.bad), sum(measured.all)];
  return new MathExpression({
    expression: `IF((${all}) >= ${least}, 100 * (${bad}) / (${all}), 0)`,
    usingMetrics: Object.fromEntries(terms),
    label: 'bad, percent',
    period,
  });
}
