/**
 * Every metric that the product emits, with the question that it answers for whoever is on call. `count` adds up, `measure`
 * keeps a distribution, `gauge` shows the last value. Dimensions are small closed sets, because CloudWatch bills each
 * combination; `stage` is added to all. Ids of workers, tenants and connections belong in log fields.
 */
interface MetricDefinition {
  readonly kind: 'count' | 'measure' | 'gauge';
  readonly unit: 'Count' | 'Milliseconds' | 'Percent' | 'None';
  readonly dimensions: Readonly<Record<string, readonly string[]>>;
  readonly question: string;
}

const count = { kind: 'count', unit: 'Count', dimensions: {} } as const;
const duration = { kind: 'measure', unit: 'Milliseconds', dimensions: {} } as const;
const level = { kind: 'gauge', unit: 'Count', dimensions: {} } as const;
/** A share of something, from 0 to 100 and beyond when there is too much of it. */
const percent = { kind: 'gauge', unit: 'Percent', dimensions: {} } as const;
/** 1 while something is so, otherwise 0. */
const flag = { kind: 'gauge', unit: 'None', dimensions: {} } as const;

export const metricCatalogue = {
  HeartbeatLatency: { ...duration, question: 'How long does the store take to renew a worker lease?' },
  HeartbeatMissed: { ...count, question: 'How many heartbeats were not acknowledged?' },
  SuspendedDuration: { ...duration, question: 'For how long was a worker without an acknowledged heartbeat?' },
  WorkersDead: {
    ...count,
    dimensions: { proof: ['observed', 'stopped', 'clean'] },
    question: 'How many workers ended, and how do we know?',
  },
  ClaimsWon: { ...count, question: 'How many shards changed their owner by a claim?' },
  ClaimsLost: { ...count, question: 'How many claims came too late?' },
  ShardsMoved: {
    ...count,
    dimensions: { reason: ['orphan', 'drain', 'deploy', 'rebalance'] },
    question: 'How many shards were sent to another worker, and why?',
  },
  HandOffDuration: { ...duration, question: 'How long does an owner take to let a shard go?' },
  DrainDuration: { ...duration, question: 'How long does a worker take to give everything away?' },
  FencedCommits: {
    ...count,
    question: 'How many of our writes did the store refuse because a newer owner had written?',
  },
  Conflicts: { ...count, question: 'How often did another program take the place of a socket (440)?' },
  LeaderChanges: { ...count, question: 'How often did the fleet get a new leader?' },
  BrakeActive: { ...flag, question: 'Do so many workers look dead at once that none is declared dead?' },
  ShardsUnowned: { ...level, question: 'How many shards have no owner at the moment, as the leader sees it?' },
  ShardsOwned: { ...level, question: 'How evenly are the shards spread over the workers?' },
  OpenAttempts: { ...count, question: 'How many sockets did we begin to open?' },
  OpenSucceeded: { ...count, question: 'How many sockets opened?' },
  OpenFailed: { ...count, question: 'How many sockets closed before they were open?' },
  TimeToOpen: { ...duration, question: 'How long does a socket take to open?' },
  OpenBudgetWait: { ...duration, question: 'How long did a connection wait for its turn to open a socket?' },
  MessagesSent: { ...count, question: 'How many messages did WhatsApp take from us?' },
  RetryReceipts: {
    ...count,
    question: 'How many requests to repeat came from recipients, for so many MessagesSent?',
  },
  SessionsRenewed: {
    ...count,
    dimensions: { sinceLast: ['over_a_day', 'under_a_day'] },
    question: 'How many Signal sessions were replaced, and how many of them again within a day, which means a defect?',
  },
  SessionItemsTooLarge: {
    ...count,
    question:
      'How many items of sessions were not stored because the table cannot hold them (app state of large accounts)?',
  },
  OutageMode: { ...flag, question: 'Does WhatsApp refuse nearly all opens, so that only a few are tried?' },
  ConnectionsByStatus: {
    ...level,
    dimensions: { status: ['online', 'connecting', 'reconnecting', 'pairing', 'handing_off', 'not_wanted'] },
    question: 'How many connections does a worker hold, and how are they?',
  },
  SocketsClosed: {
    ...count,
    dimensions: { cause: ['restart', 'network', 'server', 'replaced', 'account', 'client', 'other'] },
    question: 'How many sockets closed, and for which kind of cause?',
  },
  FleetUtilisation: { ...percent, question: 'How full are the workers, as the leader counts shards and connections?' },
  EventLoopDelay: { ...duration, question: 'For how long did a worker hold up everything else it has to do?' },
  CommandsEnded: {
    ...count,
    dimensions: { outcome: ['sent', 'refused', 'failed'] },
    question: 'How did accepted messages end: with WhatsApp, refused for a reason of their own, or by our failure?',
  },
  CommandAge: { ...duration, question: 'How long after it was accepted did WhatsApp take a message?' },
  EventLag: { ...duration, question: 'How long after something happened on WhatsApp was it stored?' },
  EventToDelivery: { ...duration, question: 'How long after something happened was a tenant first told by webhook?' },
  DeliveryAttempts: {
    ...count,
    dimensions: { outcome: ['delivered', 'failed', 'gone'] },
    question: 'How many webhooks did tenants take, fail to take, or want no more?',
  },
  CanaryDuration: { ...duration, question: 'How long did a message of the canary to itself take?' },
  CanaryFailed: { ...count, question: 'How often did a message of the canary to itself not arrive?' },
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof metricCatalogue;
type NameOf<Kind extends MetricDefinition['kind']> = {
  [Name in MetricName]: (typeof metricCatalogue)[Name]['kind'] extends Kind ? Name : never;
}[MetricName];
export type CountName = NameOf<'count'>;
export type MeasureName = NameOf<'measure'>;
export type GaugeName = NameOf<'gauge'>;

type Definition<Name extends MetricName> = (typeof metricCatalogue)[Name]['dimensions'];
/** What must be said with a metric: each of its dimensions, with one of its values, and nothing else. */
export type DimensionsOf<Name extends MetricName> = keyof Definition<Name> extends never
  ? Readonly<Record<string, never>>
  : {
      readonly [Key in keyof Definition<Name>]: Definition<Name>[Key] extends readonly (infer Value)[] ? Value : never;
    };
