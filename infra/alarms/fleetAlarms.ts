import {
  AlarmRule,
  AlarmState,
  ComparisonOperator,
  CompositeAlarm,
  MathExpression,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { DimensionsOf } from '../../shared/platform/metricCatalogue.ts';
import { RunbookAnomalyAlarm } from '../constructs/runbookAnomalyAlarm.ts';
import { RunbookAlarm, alarmDescription, alarmName, tellTopic } from '../constructs/runbookAlarm.ts';
import type { AlarmRow } from './alarmRow.ts';
import { fileAlarms } from './fileAlarms.ts';
import { holdfastMetric } from './holdfastMetric.ts';

/** The share of all places from which on tenants with many connections get no more (`SHARE_OF_LEFT`), in percent. */
const PLACES_TAKEN_PERCENT = 80;
/** One account that is restricted is its owner's concern; several at once have something in common. */
const RESTRICTED_ACCOUNTS = 5;

/** The deadline of one try of a heartbeat (HOLDFAST_HEARTBEAT_TIMEOUT_MS). A slower try is given up and made again. */
const HEARTBEAT_TRY_MS = 1_500;
/** The time after which the leader takes back an offer of a shard (HOLDFAST_GIVE_DEADLINE_MS). */
const GIVE_DEADLINE_MS = 30_000;
/** The number of opens below which a percentage says little. */
const LEAST_OPENS = 50;
const OPENS_FAILED_PERCENT = 20;
/** Longer than retries take, and than the pauses that WhatsApp's limits ask for. */
const LONG_WAIT_MS = 15 * 60_000;
/** Actions whose end nobody explains, in a quarter of an hour. One socket that is lost ends four at most. */
const FAILED_ACTIONS = 20;

const ownershipAlarms: Readonly<Record<string, AlarmRow>> = {
  'shards-unowned': {
    severity: 'page',
    metric: (stage) => holdfastMetric(stage, 'ShardsUnowned', {}, { statistic: 'Maximum', minutes: 1 }),
    threshold: 1,
    periods: 2,
    heading: 'Shards have no owner',
    sentence: 'For 2 minutes a shard had no owner: its connections are offline.',
  },
  'places-run-out': {
    severity: 'ticket',
    metric: (stage) => holdfastMetric(stage, 'PlacesTaken', {}, { statistic: 'Maximum', minutes: 60 }),
    threshold: PLACES_TAKEN_PERCENT,
    heading: 'Places run out',
    sentence: 'Four fifths of the places for connections are taken.',
  },
  'no-leader': {
    severity: 'page',
    // Only the leader reports how many shards are unowned.
    metric: (stage) => holdfastMetric(stage, 'ShardsUnowned', {}, { statistic: 'SampleCount', minutes: 1 }),
    threshold: 1,
    comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
    periods: 3,
    missingData: TreatMissingData.BREACHING,
    heading: 'Nobody leads the fleet',
    sentence: 'For 3 minutes no leader was heard of.',
  },
  brake: {
    severity: 'page',
    metric: (stage) => holdfastMetric(stage, 'BrakeActive', {}, { statistic: 'Maximum', minutes: 1 }),
    threshold: 1,
    heading: 'Brake is on',
    sentence: 'So many workers look dead at once that none is declared dead.',
  },
  'hand-offs-slow': {
    severity: 'ticket',
    metric: (stage) => holdfastMetric(stage, 'HandOffDuration', {}, { statistic: 'p95', minutes: 15 }),
    threshold: GIVE_DEADLINE_MS,
    heading: 'Hand-offs are slow',
    sentence: `One hand-off in twenty took ${GIVE_DEADLINE_MS / 1_000} s or longer.`,
  },
};

/** The reasons that have an alarm of their own. A fact of an unknown kind rests in the dead letters of events, which have one. */
type RefusalReason = Exclude<DimensionsOf<'FactsRefused'>['reason'], 'unknown_kind'>;
const refusals: Readonly<Record<RefusalReason, string>> = {
  malformed: 'Something that WhatsApp brought could not be told as it came, because its form is taken nowhere.',
  too_large: 'Something that WhatsApp brought could not be told as it came, because it is too large.',
};
const refusalAlarms: Readonly<Record<string, AlarmRow>> = Object.fromEntries(
  (Object.keys(refusals) as RefusalReason[]).map((reason): [string, AlarmRow] => [
    `facts-refused-${reason.replace('_', '-')}`,
    {
      severity: 'ticket',
      threshold: 1,
      metric: (stage) => holdfastMetric(stage, 'FactsRefused', { reason }, { statistic: 'Sum', minutes: 5 }),
      heading: 'Facts are refused',
      sentence: refusals[reason],
    },
  ]),
);

const messageAlarms: Readonly<Record<string, AlarmRow>> = {
  'messages-swept': {
    severity: 'ticket',
    threshold: 1,
    metric: (stage) => holdfastMetric(stage, 'MessagesSwept', {}, { statistic: 'Sum', minutes: 5 }),
    heading: 'Messages stand still',
    sentence: 'A message had not ended an hour after it was queued, and nothing but a command led to it.',
  },
  'chains-stood': {
    severity: 'ticket',
    threshold: 1,
    metric: (stage) => holdfastMetric(stage, 'ChainsStood', {}, { statistic: 'Sum', minutes: 5 }),
    heading: 'Chains stand still',
    sentence:
      'Events of a webhook in strict order waited a quarter of an hour longer than they were to, until another one came.',
  },
};

const workerAlarms: Readonly<Record<string, AlarmRow>> = {
  'workers-die-observed': {
    severity: 'ticket',
    threshold: 1,
    metric: (stage) => holdfastMetric(stage, 'WorkersDead', { proof: 'observed' }, { statistic: 'Sum', minutes: 5 }),
    heading: 'Workers die',
    sentence: 'A worker fell silent, and the others declared it dead.',
  },
  'workers-die-stopped': {
    severity: 'ticket',
    threshold: 1,
    metric: (stage) => holdfastMetric(stage, 'WorkersDead', { proof: 'stopped' }, { statistic: 'Sum', minutes: 5 }),
    heading: 'Workers die',
    sentence: 'A worker ended without having drained, as ECS says.',
  },
  'event-loop-held-up': {
    severity: 'ticket',
    metric: (stage) => holdfastMetric(stage, 'EventLoopDelay', {}, { statistic: 'p95', minutes: 1 }),
    threshold: HEARTBEAT_TRY_MS,
    periods: 5,
    heading: 'Worker CPU is short',
    sentence: `For 5 minutes one stretch of work in twenty held everything else up for ${HEARTBEAT_TRY_MS / 1_000} s or longer.`,
  },
  'workers-suspended': {
    severity: 'ticket',
    threshold: 1,
    metric: (stage) => holdfastMetric(stage, 'SuspendedDuration', {}, { statistic: 'SampleCount', minutes: 5 }),
    heading: 'Workers are suspended',
    sentence: 'A worker had no acknowledged heartbeat for so long that it stopped its work for a while.',
  },
  'heartbeats-slow': {
    severity: 'ticket',
    metric: (stage) => holdfastMetric(stage, 'HeartbeatLatency', {}, { statistic: 'p99', minutes: 1 }),
    threshold: HEARTBEAT_TRY_MS,
    periods: 5,
    heading: 'Heartbeats are slow',
    sentence: `For 5 minutes one heartbeat in a hundred took ${HEARTBEAT_TRY_MS / 1_000} s or longer.`,
  },
};

const whatsAppAlarms: Readonly<Record<string, AlarmRow>> = {
  'outage-mode': {
    severity: 'page',
    metric: (stage) => holdfastMetric(stage, 'OutageMode', {}, { statistic: 'Maximum', minutes: 1 }),
    threshold: 1,
    periods: 2,
    heading: 'WhatsApp refuses opens',
    sentence: 'WhatsApp refuses nearly all opens, so that only a few are tried.',
  },
  'client-version-refused': {
    severity: 'page',
    metric: (stage) => holdfastMetric(stage, 'ClientVersionRefused', {}, { statistic: 'Sum', minutes: 5 }),
    threshold: 1,
    heading: 'WhatsApp refuses our version',
    sentence: 'WhatsApp refuses a client version (405); connections that use it stay offline until it is changed.',
  },
  'connections-unwell': {
    severity: 'ticket',
    metric: (stage) => holdfastMetric(stage, 'ConnectionsUnwell', {}, { statistic: 'Maximum', minutes: 5 }),
    // A connection that does not work is recycled within two minutes. The alarm is about the ones that a recycle did
    // not help.
    threshold: 1,
    periods: 3,
    heading: 'Connections are open in name only',
    sentence: 'For 15 minutes there were connections that are open and do not work.',
  },
  'messages-wait': {
    severity: 'ticket',
    metric: (stage) => holdfastMetric(stage, 'LongestWait', {}, { statistic: 'Maximum', minutes: 5 }),
    threshold: LONG_WAIT_MS,
    heading: 'Accepted messages wait',
    sentence: `An accepted message has waited for ${LONG_WAIT_MS / 60_000} minutes although its connection is online.`,
  },
  'accounts-restricted': {
    severity: 'ticket',
    metric: (stage) => holdfastMetric(stage, 'SendBrakes', { cause: 'restricted' }, { statistic: 'Sum', minutes: 15 }),
    threshold: RESTRICTED_ACCOUNTS,
    heading: 'WhatsApp restricts accounts',
    sentence: `WhatsApp refused messages to new people of ${RESTRICTED_ACCOUNTS} or more accounts in 15 minutes.`,
  },
  'actions-fail': {
    severity: 'ticket',
    metric: (stage) =>
      holdfastMetric(stage, 'ActionsFinished', { outcome: 'failed' }, { statistic: 'Sum', minutes: 15 }),
    threshold: FAILED_ACTIONS,
    heading: 'Actions fail',
    sentence: `${FAILED_ACTIONS} or more actions in 15 minutes ended without an answer of WhatsApp, or by our failure.`,
  },
  'workers-recycled': {
    severity: 'ticket',
    metric: (stage) =>
      new MathExpression({
        expression: 'FILL(critical, 0) + FILL(memory, 0)',
        usingMetrics: {
          critical: holdfastMetric(
            stage,
            'WorkerRecycled',
            { reason: 'memory_critical' },
            { statistic: 'Sum', minutes: 60 },
          ),
          memory: holdfastMetric(stage, 'WorkerRecycled', { reason: 'memory' }, { statistic: 'Sum', minutes: 60 }),
        },
        period: Duration.minutes(60),
        label: 'workers replaced for their memory',
      }),
    threshold: 1,
    heading: 'Workers are replaced for their memory',
    sentence: 'A worker was replaced within the hour because its memory was nearly full.',
  },
  'opens-fail': {
    severity: 'page',
    metric: (stage) =>
      new MathExpression({
        // The share is taken of attempts, not of successes: when no open succeeds, the count of successes does not exist.
        expression: `IF(attempts >= ${LEAST_OPENS}, 100 * failed / attempts, 0)`,
        usingMetrics: {
          attempts: holdfastMetric(stage, 'OpenAttempts', {}, { statistic: 'Sum', minutes: 5 }),
          failed: holdfastMetric(stage, 'OpenFailed', {}, { statistic: 'Sum', minutes: 5 }),
        },
        period: Duration.minutes(5),
        label: 'opens that failed, percent',
      }),
    threshold: OPENS_FAILED_PERCENT,
    periods: 2,
    heading: 'WhatsApp refuses opens',
    sentence: `For 10 minutes ${OPENS_FAILED_PERCENT} % or more of the sockets closed before they were open.`,
  },
  'sessions-renewed-again': {
    severity: 'ticket',
    metric: (stage) =>
      holdfastMetric(stage, 'SessionsRenewed', { sinceLast: 'under_a_day' }, { statistic: 'Sum', minutes: 60 }),
    threshold: 1,
    heading: 'Sessions are renewed again',
    sentence: 'A Signal session was replaced for the second time within a day.',
  },
};

/** Alarms on values for which no figure is right for every fleet: they are compared with what is usual. */
const unusual: Readonly<Record<string, Pick<AlarmRow, 'severity' | 'metric' | 'heading' | 'sentence'>>> = {
  'accounts-logged-out': {
    severity: 'page',
    metric: (stage) => holdfastMetric(stage, 'SocketsClosed', { cause: 'account' }, { statistic: 'Sum', minutes: 15 }),
    heading: 'Accounts are logged out',
    sentence: 'WhatsApp logs out, removes or bans more accounts than it uses to.',
  },
  'conflicts-unusual': {
    severity: 'ticket',
    metric: (stage) => holdfastMetric(stage, 'Conflicts', {}, { statistic: 'Sum', minutes: 15 }),
    heading: 'Accounts are used elsewhere',
    sentence: 'Other programs take the place of our sockets (440) more often than they use to.',
  },
  'retry-receipts-unusual': {
    severity: 'ticket',
    metric: (stage) => holdfastMetric(stage, 'RetryReceipts', {}, { statistic: 'Sum', minutes: 15 }),
    heading: 'Recipients cannot decrypt',
    sentence: 'Recipients ask us to repeat messages more often than they use to.',
  },
};

/** Adds the alarms on the metrics of the workers. */
export function addFleetAlarms(scope: Construct, stage: string): void {
  for (const [name, row] of Object.entries({
    ...ownershipAlarms,
    ...workerAlarms,
    ...refusalAlarms,
    ...messageAlarms,
    ...whatsAppAlarms,
    ...fileAlarms,
  })) {
    new RunbookAlarm(scope, name, { ...row, stage, metric: row.metric(stage) });
  }
  for (const [name, row] of Object.entries(unusual)) {
    new RunbookAnomalyAlarm(scope, name, { ...row, stage, metric: row.metric(stage) });
  }
  addFencedAlarm(scope, stage);
}

/**
 * A refused write is normal beside a change of owner, and a sign of two owners at any other time: the alarm is held
 * back while shards change hands. Two alarms are needed instead of one expression, because a count of nothing is no
 * data, and then an expression has no value at all.
 */
function addFencedAlarm(scope: Construct, stage: string): void {
  const fenced = new RunbookAlarm(scope, 'commits-refused', {
    stage,
    severity: 'none',
    metric: holdfastMetric(stage, 'FencedCommits', {}, { statistic: 'Sum', minutes: 5 }),
    threshold: 1,
    heading: 'Writes are fenced',
    sentence: 'The store refused a write because a newer owner had written.',
  });
  const claimed = new RunbookAlarm(scope, 'shards-claimed', {
    stage,
    severity: 'none',
    metric: holdfastMetric(stage, 'ClaimsWon', {}, { statistic: 'Sum', minutes: 5 }),
    threshold: 1,
    heading: 'Shards change their owner',
    sentence: 'A shard was claimed from a worker that is dead.',
  });
  const text = {
    stage,
    severity: 'page',
    heading: 'Writes are fenced',
    sentence: 'The store refused a write because a newer owner had written, while no shard was claimed.',
  } as const;
  const alarm = new CompositeAlarm(scope, 'writes-fenced', {
    compositeAlarmName: alarmName(stage, 'writes-fenced'),
    alarmDescription: alarmDescription(text),
    alarmRule: AlarmRule.fromAlarm(fenced, AlarmState.ALARM),
    actionsSuppressor: claimed,
    // Both counts come from logs, and either may come first.
    actionsSuppressorWaitPeriod: Duration.minutes(2),
    actionsSuppressorExtensionPeriod: Duration.minutes(2),
  });
  tellTopic(alarm, text);
}
