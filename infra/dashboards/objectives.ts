import { ownMetric, type DashboardMetric, type PhysicalNames } from './dashboard.ts';

/**
 * What the service promises to the people who run it (service level objectives): a share of good ones, over 30 days. The
 * dashboards show them and the burn-rate alarms count what is left of the rest.
 */
export const objectiveNames = ['messages', 'deliveries', 'connections', 'api'] as const;
export type ObjectiveName = (typeof objectiveNames)[number];

export interface Objective {
  readonly name: ObjectiveName;
  readonly title: string;
  /** Share of good ones that is promised. */
  readonly percent: number;
  /** All that count, the bad ones among them: or a single metric that is the share of good ones by itself. */
  readonly measured:
    | { readonly by: 'counts'; readonly bad: readonly DashboardMetric[]; readonly all: readonly DashboardMetric[] }
    | { readonly by: 'rank'; readonly good: DashboardMetric };
}

/** A webhook this long after the event is late. */
export const DELIVERY_LATE_MS = 10_000;

/** The objectives of a stage. @param names of what AWS named */
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
      // What WhatsApp or the recipient refuses for a reason of its own counts for nobody.
      measured: {
        by: 'counts',
        bad: [ended('failed')],
        all: [ended('sent'), ended('failed')],
      },
    },
    {
      name: 'deliveries',
      title: `Webhooks first sent within ${DELIVERY_LATE_MS / 1_000} s of their event`,
      percent: 99,
      measured: {
        by: 'rank',
        good: ownMetric(stage, 'EventToDelivery', {}, `PR(:${DELIVERY_LATE_MS})`, 'in time'),
      },
    },
    {
      name: 'connections',
      title: 'Connections online, of those that are wanted online and linked',
      percent: 99.9,
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
      // Of API Gateway and not of the handlers, which do not see the calls that never reach them.
      measured: { by: 'counts', bad: [api('5xx', 'Sum', 'failed')], all: [api('Count', 'SampleCount', 'calls')] },
    },
  ];
}
