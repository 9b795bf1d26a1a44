import { Duration } from 'aws-cdk-lib';
import { MathExpression, type IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import type { DimensionsOf } from '../../shared/platform/metricCatalogue.ts';
import type { AlarmRow } from './alarmRow.ts';
import { holdfastMetric } from './holdfastMetric.ts';

/** The number of files in an hour below which a percentage says little. */
const LEAST_FILES = 50;
const FILES_FAILED_PERCENT = 20;
/** The same for parts of histories, of which a phone sends a few. */
const LEAST_PARTS = 10;
const PARTS_FAILED_PERCENT = 20;
/** Answers of phones in an hour that cannot be read. Those of one account are its own concern. */
const UNREADABLE_ANSWERS = 5;

/** The share of files, or of parts of histories, whose end is a failure of hosts or of ours, in percent, within an hour. */
function failedFiles(
  stage: string,
  metric: 'MediaFetched' | 'MediaUploaded' | 'HistoryParts',
  failed: string,
  others: readonly string[],
  least = LEAST_FILES,
): IMetric {
  const of = (outcome: string) =>
    holdfastMetric(stage, metric, { outcome } as DimensionsOf<typeof metric>, { statistic: 'Sum', minutes: 60 });
  const all = ['failed', ...others.map((_outcome, place) => `other${place}`)].map((id) => `FILL(${id}, 0)`).join(' + ');
  return new MathExpression({
    expression: `IF(${all} >= ${least}, 100 * FILL(failed, 0) / (${all}), 0)`,
    usingMetrics: {
      failed: of(failed),
      ...Object.fromEntries(others.map((outcome, place) => [`other${place}`, of(outcome)])),
    },
    period: Duration.minutes(60),
    label: 'failed, percent',
  });
}

/** Alarms on files, in both directions. */
export const fileAlarms: Readonly<Record<string, AlarmRow>> = {
  'files-not-fetched': {
    severity: 'ticket',
    metric: (stage) => failedFiles(stage, 'MediaFetched', 'unreachable', ['ready', 'gone', 'phone_offline', 'broken']),
    threshold: FILES_FAILED_PERCENT,
    heading: 'Files do not come',
    sentence: `${FILES_FAILED_PERCENT} % or more of the files of an hour were not given by their hosts, however often they were asked.`,
  },
  'files-not-sent': {
    severity: 'ticket',
    metric: (stage) => failedFiles(stage, 'MediaUploaded', 'failed', ['uploaded', 'unfit', 'needs_token']),
    threshold: FILES_FAILED_PERCENT,
    heading: 'Files cannot be sent',
    sentence: `${FILES_FAILED_PERCENT} % or more of the files of an hour could not be brought to WhatsApp, and their messages failed.`,
  },
  'histories-not-taken-in': {
    severity: 'ticket',
    metric: (stage) => failedFiles(stage, 'HistoryParts', 'failed', ['done'], LEAST_PARTS),
    threshold: PARTS_FAILED_PERCENT,
    heading: 'Histories are not taken in',
    sentence: `${PARTS_FAILED_PERCENT} % or more of the parts of histories of an hour can never be taken in.`,
  },
  'phone-answers-unreadable': {
    severity: 'ticket',
    metric: (stage) =>
      holdfastMetric(stage, 'PhoneFileAnswers', { answer: 'unreadable' }, { statistic: 'Sum', minutes: 60 }),
    threshold: UNREADABLE_ANSWERS,
    heading: 'Files do not come',
    sentence: `${UNREADABLE_ANSWERS} or more answers of phones about files in an hour could not be opened.`,
  },
};
