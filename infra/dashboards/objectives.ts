import { ownMetric, type DashboardMetric, type PhysicalNames } from './dashboard.ts';

/**
 * The promises of the service to the people who run it (service level objectives): a share of good ones, over 30 days.
 * The dashboards show them, and the burn-rate alarms watch how fast the permitted share of bad ones is used up.
 */
export const objectiveNames = ['messages', 'sends', 'deliveries', 'connections', 'api'] as const;
export type ObjectiveName = (typeof objectiveNames)[number];

export interface Objective {
  readonly name: ObjectiveName;
  readonly title: string;
  /** The promised share of good ones. */
  readonly percent: number;
  /** The number in a window below which a share says little, counted as `all` or `count` are. */
  readonly least: number;
  /** Either all that count, the bad ones among them, or a single metric that by itself is the share of good ones. */
  readonly measured:
    | { readonly by: 'counts'; readonly bad: readonly DashboardMetric[]; readonly all: readonly DashboardMetric[] }
    | { readonly by: 'rank'; readonly good: DashboardMetric; readonly count: DashboardMetric };
}

/** The age of an event from which on its webhook counts as late. */
export const DELIVERY_LATE_MS = 10_000;

/**
 * The objectives of a stage.
 * @param names the names that AWS gives
 */
// oxlint-disable-next-line max-lines-per-function -- a table: one row after the other
export function objectivesOf(stage: string, { apiId }: Pick<PhysicalNames, 'apiId'>): readonly Objective[] {
  const ended = (outcome: 'sent' | 'failed') => ownMetric(stage, 'CommandsEnded', { outcome }, 'Sum', outcome);
  const held = (status: 'online' | 'connecting' | 'reconnecting' | 'handing_off') =>
    ownMetric(stage, 'ConnectionsByStatus', { status }, 'Sum', status);
  const api = (name: string, stat: string, label: string): DashboardMetric => ({
    namespace: 'AWS/ApiGateway',
    name,
    dimensions: { ApiId: apiId },
    stat,
    label,
  });
  return [
    {
      name: 'messages',
      title: 'Accepted messages that end well',
      percent: 99,
      least: 20,
      // A message that WhatsApp or the recipient refuses for a reason of its own is not counted, neither as good nor as
      // bad.
      measured: {
        by: 'counts',
        bad: [ended('failed')],
        all: [ended('sent'), ended('failed')],
      },
    },
    {
      name: 'sends',
      title: 'Online connections on which no accepted message has waited for more than a minute',
      percent: 99.9,
      least: 1,
      // A message that waits has not ended, so the objective above does not see it until it is too late.
      measured: { by: 'counts', bad: [ownMetric(stage, 'SendsLate', {}, 'Sum', 'late')], all: [held('online')] },
    },
    {
      name: 'deliveries',
      title: `Webhooks first sent within ${DELIVERY_LATE_MS / 1_000} s of their event`,
      percent: 99,
      least: 20,
      measured: {
        by: 'rank',
        good: ownMetric(stage, 'EventToDelivery', {}, `PR(:${DELIVERY_LATE_MS})`, 'in time'),
        count: ownMetric(stage, 'EventToDelivery', {}, 'SampleCount', 'all'),
      },
    },
    {
      name: 'connections',
      title: 'Connections online, of those that are wanted online and linked',
      percent: 99.9,
      // Each worker reports these once a minute, so a few minutes of a small stage are enough.
      least: 1,
      measured: {
        by: 'counts',
        bad: [held('connecting'), held('reconnecting'), held('handing_off')],
        all: [held('online'), held('connecting'), held('reconnecting'), held('handing_off')],
      },
    },
    {
      name: 'api',
      title: 'API calls that did not fail',
      percent: 99.9,
      least: 50,
      // The counts are those of API Gateway, because the handlers do not see the calls that never reach them.
      measured: { by: 'counts', bad: [api('5xx', 'Sum', 'failed')], all: [api('Count', 'SampleCount', 'calls')] },
    },
  ];
}
