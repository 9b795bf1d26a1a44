import { Duration } from 'aws-cdk-lib';
import { AlarmRule, AlarmState, CompositeAlarm, MathExpression, type Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { alarmDescription, alarmName, RunbookAlarm, tellTopic, type Severity } from './constructs/runbookAlarm.ts';
import { toMetric } from './dashboard.ts';
import { objectivesOf, type Objective, type ObjectiveName } from './dashboards/objectives.ts';
import type { RunbookHeading } from './runbookHeadings.ts';
import type { Settings } from './settings.ts';

interface BurnWindow {
  readonly name: string;
  readonly severity: Exclude<Severity, 'none'>;
  /** So many times faster than the objective allows. */
  readonly rate: number;
  /** Long enough to matter, short enough to be still so: it sounds while both burn, and is over soon after the cause is. */
  readonly longMinutes: number;
  readonly shortMinutes: number;
  /** What would be left of a month's share at this rate. */
  readonly meaning: string;
}

/**
 * Source: Google, "The Site Reliability Workbook", chapter 5, table 5-8, for objectives over 30 days. Its last row, three days
 * long, is left out: CloudWatch looks back a day at most in one period.
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

const headings: Readonly<Record<ObjectiveName, RunbookHeading>> = {
  messages: 'Messages do not end well',
  deliveries: 'Webhooks are late',
  connections: 'Connections are not online',
  api: 'API fails too often',
};

/** For each objective, alarms that sound while its share of bad ones is used up too fast. */
export function addBurnAlarms(
  scope: Construct,
  { stage, burnAlarms }: Pick<Settings, 'stage' | 'burnAlarms'>,
  apiId: string,
): void {
  const wanted = windows.filter(({ name }) => burnAlarms === 'all' || name === 'fast');
  for (const objective of objectivesOf(stage, { apiId })) {
    for (const window of wanted) addBurnAlarm(scope, stage, objective, window);
  }
}

function addBurnAlarm(scope: Construct, stage: string, objective: Objective, window: BurnWindow): void {
  const { name, title, percent } = objective;
  const { rate, severity, meaning } = window;
  const heading = headings[name];
  const id = `${name}-burn-${window.name}`;
  const threshold = round(rate * (100 - percent));
  const over = (minutes: number, part: string): RunbookAlarm =>
    new RunbookAlarm(scope, `${id}-${part}`, {
      stage,
      severity: 'none',
      metric: badShare(objective, minutes),
      threshold,
      heading,
      sentence: `Over ${minutes} minutes ${threshold} % or more were bad of what should be good: ${lowerFirst(title)}.`,
    });
  const text = {
    stage,
    severity,
    heading,
    sentence: `The objective "${title}" (${percent} %) is missed ${rate} times faster than allowed: ${meaning}.`,
  };
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

/** Bad ones in percent; 0 with too few to say. */
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
  const terms: Record<string, Metric> = {};
  const sum = (letter: string, all: typeof measured.all): string =>
    all
      .map((metric, index) => {
        terms[`${letter}${index}`] = toMetric(metric, minutes);
        // A count of nothing is no data, and the expression would have no value.
        return `FILL(${letter}${index}, 0)`;
      })
      .join(' + ');
  const [bad, all] = [sum('b', measured.bad), sum('a', measured.all)];
  return new MathExpression({
    expression: `IF((${all}) >= ${least}, 100 * (${bad}) / (${all}), 0)`,
    usingMetrics: terms,
    label: 'bad, percent',
    period,
  });
}

/** Binary fractions look odd in a sentence. */
function round(value: number): number {
  return Number(value.toFixed(3));
}

function lowerFirst(text: string): string {
  return /^[A-Z]{2}/.test(text) ? text : `${text.charAt(0).toLowerCase()}${text.slice(1)}`;
}
