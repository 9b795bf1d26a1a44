import { widgetOf, type DashboardDefinition, type PhysicalNames, type Widget } from './dashboard.ts';
import { apiWidgets, capacityWidgets, costWidgets, queueWidgets, storeWidgets } from './awsWidgets.ts';
import { objectivesOf, type Objective } from './objectives.ts';
import type { MetricName } from '../../shared/platform/metricCatalogue.ts';

/** Stand-ins for the names that AWS gives, where there is no deployed stack. */
const unnamed: PhysicalNames = { apiId: 'api', clusterName: 'cluster', serviceName: 'service', eventQueues: 1 };

/**
 * All dashboards of a stage: `ops`, which a person on call reads from top to bottom, and one for each concern. The
 * function is pure: the CDK app and the local page make the same dashboards of it.
 */
// oxlint-disable-next-line max-lines-per-function -- a table: one row after the other
export function dashboardDefinitions(stage: string, names: PhysicalNames = unnamed): readonly DashboardDefinition[] {
  const own = (section: string, ...metrics: readonly MetricName[]): readonly Widget[] =>
    metrics.map((name) => widgetOf(stage, section, name));
  const objectives = objectivesOf(stage, names).flatMap(objectiveWidget);
  const connections = own('Connections', 'ConnectionsByStatus', 'SocketsClosed', 'TimeToOpen');
  const opens = own('Opens and their budget', 'OpenAttempts', 'OpenSucceeded', 'OpenFailed', 'OpenBudgetWait');
  const outage = own('Opens and their budget', 'OutageMode');
  const messages = own(
    'Messages',
    'CommandsEnded',
    'CommandAge',
    'MessagesSent',
    'SendsLate',
    'LongestWait',
    'MessagesSwept',
  );
  const due = own('Scheduled messages', 'DueMessages', 'DueMessagesLate', 'BulkMessages', 'BulkSendsEnded');
  const archive = own('Exports and erasures', 'ArchiveJobsEnded', 'ArchiveStuck');
  const actions = own('Actions', 'ActionsFinished', 'ActionsFailed', 'ActionDuration');
  const events = own(
    'Events and webhooks',
    'EventLag',
    'EventToDelivery',
    'DeliveryAttempts',
    'ChainsStood',
    'FactsRefused',
  );
  const files = own('Files of messages', 'MediaFetched', 'MediaFetchTime', 'FilesAskedOfPhone', 'PhoneFileAnswers');
  const sentFiles = own('Files that are sent', 'MediaUploaded', 'MediaUploadTime');
  const queues = queueWidgets(stage, 'Queues', names);
  const stores = storeWidgets(stage, 'Stores');
  const capacity = [
    ...own('Capacity', 'FleetUtilisation', 'PlacesTaken', 'EventLoopDelay'),
    ...capacityWidgets(stage, 'Capacity', names),
  ];
  const owners = own('Who owns what', 'ShardsUnowned', 'ShardsMoved', 'WorkersDead', 'HeartbeatLatency');
  return [
    {
      name: 'ops',
      title: 'Holdfast: what ops see first',
      widgets: [
        ...objectives,
        ...connections,
        ...owners,
        ...opens,
        ...outage,
        ...messages,
        ...events,
        ...files,
        ...sentFiles,
        ...queues,
        ...stores,
        ...capacity,
        ...costWidgets(stage, 'What costs money', names),
        ...own('Canary', 'CanaryDuration', 'CanaryFailed'),
      ],
    },
    {
      name: 'ownership',
      title: 'Who owns what',
      widgets: [
        ...own('Shards', 'ShardsUnowned', 'ShardsOwned', 'ShardsMoved', 'ClaimsWon', 'ClaimsLost', 'HandOffDuration'),
        ...own('Workers', 'WorkersDead', 'LeaderChanges', 'BrakeActive', 'DrainDuration', 'TaskProtectionFailed'),
        ...own('Their leases', 'HeartbeatLatency', 'HeartbeatMissed', 'SuspendedDuration', 'FencedCommits'),
        ...own('Their condition', 'WorkerMemoryShare', 'EventLoopDelay', 'WorkerRecycled', 'ScopeResources'),
        ...own('Watchdog', 'WatchdogSteps', 'WatchdogBrake'),
      ],
    },
    {
      name: 'connections',
      title: 'Connections to WhatsApp',
      widgets: [
        ...connections,
        ...own('Connections', 'Conflicts', 'ClientVersionRefused'),
        ...own('Open in name only', 'ConnectionsUnwell', 'SocketsRecycled', 'WorkersUnwell'),
        ...opens,
        ...outage,
        ...own('As connections are set', 'MessagesFiltered', 'ReadReceiptsLost', 'CallsRejected'),
      ],
    },
    {
      name: 'messages',
      title: 'Messages and sessions',
      widgets: [
        ...messages,
        ...own('Encryption', 'RetryReceipts', 'SessionsRenewed', 'SessionItemsTooLarge', 'FencedCommits'),
        ...own('Not readable, not repeated', 'UnreadableMessages', 'RetryReceiptsRefused', 'ReceiptsNotCounted'),
        ...own('New people, and what WhatsApp stops', 'FirstContacts', 'SendBrakes', 'ContactsNotKept', 'ChatsNotKept'),
        ...own('What cannot be shown yet', 'PlaintextsNotKept'),
        ...own('Histories of phones', 'HistoryParts', 'HistoryMessages'),
        ...own('The state that own devices share', 'AppStateFailed', 'AppStateChangesIgnored'),
        ...due,
        ...archive,
        ...actions,
        ...own('Canary', 'CanaryDuration', 'CanaryFailed'),
      ],
    },
    {
      name: 'delivery',
      title: 'Events and webhooks',
      widgets: [...events, ...own('Streams of events', 'StreamClients', 'StreamsEnded'), ...queues],
    },
    { name: 'api', title: 'API', widgets: [...apiWidgets('API', names), ...own('Keys', 'KeysRefused')] },
    {
      name: 'stores',
      title: 'Stores',
      widgets: [
        ...stores,
        ...own('Stores', 'SessionItemsTooLarge', 'FencedCommits'),
        ...own('What we depend on', 'BreakerState', 'BreakerOpened'),
      ],
    },
    {
      name: 'capacity',
      title: 'Capacity and cost',
      widgets: [...capacity, ...costWidgets(stage, 'What costs money', names)],
    },
  ];
}

/** How well an objective is kept, with the promised level drawn across the chart. */
function objectiveWidget({ title, percent, measured }: Objective): readonly Widget[] {
  const common = {
    title,
    section: 'Objectives',
    unit: 'percent',
    limit: { value: percent, label: 'promised' },
  } as const;
  if (measured.by === 'rank') return [{ ...common, metrics: [measured.good] }];
  const { bad, all } = measured;
  const labels = new Set(all.map(({ label }) => label));
  const good = all.filter(({ label }) => !bad.some((metric) => metric.label === label));
  const isSplit = bad.every(({ label }) => labels.has(label));
  // Where the bad ones are not among the lines of all, the chart can show only their share.
  return isSplit
    ? [
        {
          ...common,
          metrics: all,
          share: { label: 'good', of: good.map(({ label }) => label), among: all.map(({ label }) => label) },
        },
      ]
    : [
        {
          ...common,
          limit: { value: 100 - percent, label: 'allowed' },
          metrics: [...bad, ...all],
          share: { label: 'bad', of: bad.map(({ label }) => label), among: all.map(({ label }) => label) },
        },
      ];
}
