import { actionKindNames } from './actionKindNames.ts';
/**
 * Every metric that the product emits, with the question that it answers for a person on call. `count` adds up,
 * `measure` keeps a distribution, `gauge` shows the last value. Dimensions are small closed sets, because CloudWatch
 * bills each combination; `stage` is added to all. Ids of workers, tenants and connections belong in log fields.
 */
export interface MetricDefinition {
  readonly kind: 'count' | 'measure' | 'gauge';
  readonly unit: 'Count' | 'Milliseconds' | 'Percent' | 'None';
  readonly dimensions: Readonly<Record<string, readonly string[]>>;
  readonly question: string;
  /** Whether the metric is not sent while all is well. CloudWatch bills a metric by the hours in which it is sent. */
  readonly isRare?: true;
}

const count = { kind: 'count', unit: 'Count', dimensions: {} } as const;
const trouble = { ...count, isRare: true } as const;
const duration = { kind: 'measure', unit: 'Milliseconds', dimensions: {} } as const;
const level = { kind: 'gauge', unit: 'Count', dimensions: {} } as const;
/** A share in percent, from 0 to 100, and beyond 100 when there is too much of it. */
const percent = { kind: 'gauge', unit: 'Percent', dimensions: {} } as const;
/** A gauge that is 1 while its question is answered with yes, otherwise 0. */
const flag = { kind: 'gauge', unit: 'None', dimensions: {} } as const;

export const metricCatalogue = {
  HeartbeatLatency: { ...duration, question: 'How long does the store take to renew a worker lease?' },
  HeartbeatMissed: { ...trouble, question: 'How many heartbeats were not acknowledged?' },
  SuspendedDuration: { ...duration, question: 'For how long was a worker without an acknowledged heartbeat?' },
  WorkersDead: {
    ...trouble,
    dimensions: { proof: ['observed', 'stopped', 'clean'] },
    question: 'How many workers ended, and how do we know?',
  },
  ClaimsWon: { ...count, question: 'How many shards changed their owner by a claim?' },
  ClaimsLost: { ...trouble, question: 'How many claims came too late?' },
  ShardsMoved: {
    ...trouble,
    dimensions: { reason: ['orphan', 'drain', 'watchdog', 'deploy', 'rebalance'] },
    question: 'How many shards were sent to another worker, and why?',
  },
  HandOffDuration: { ...duration, question: 'How long does an owner take to let a shard go?' },
  DrainDuration: { ...duration, question: 'How long does a worker take to give everything away?' },
  FencedCommits: {
    ...trouble,
    question: 'How many of our writes did the store refuse because a newer owner had written?',
  },
  Conflicts: { ...trouble, question: 'How often did another program take the place of a socket (440)?' },
  LeaderChanges: { ...trouble, question: 'How often did the fleet get a new leader?' },
  TaskProtectionFailed: {
    ...trouble,
    dimensions: { step: ['protect', 'lift'] },
    question: 'How often could a worker not keep its task from being stopped in a deploy, or not let it go after that?',
  },
  BrakeActive: { ...flag, question: 'Do so many workers look dead at once that none is declared dead?' },
  KeysRefused: {
    ...trouble,
    dimensions: { reason: ['unknown', 'expired', 'too_many'] },
    question:
      'How many requests came with an API key that opens nothing, or from an address that tried too many of these?',
  },
  PlacesTaken: {
    ...percent,
    isRare: true,
    question: 'How many of the places for connections are taken, as the last new connection found?',
  },
  ShardsUnowned: { ...level, question: 'How many shards have no owner at the moment, as the leader sees it?' },
  ShardsOwned: { ...level, question: 'How evenly are the shards spread over the workers?' },
  OpenAttempts: { ...count, question: 'How many sockets did we begin to open?' },
  OpenSucceeded: { ...count, question: 'How many sockets opened?' },
  OpenFailed: { ...count, question: 'How many sockets closed before they were open?' },
  TimeToOpen: { ...duration, question: 'How long does a socket take to open?' },
  OpenBudgetWait: { ...duration, question: 'How long did a connection wait for its turn to open a socket?' },
  ConnectionsUnwell: {
    ...level,
    question: 'How many connections are open in name only at the moment, as their worker sees it?',
  },
  SocketsRecycled: {
    ...trouble,
    dimensions: { symptom: ['never_success', 'silent_server', 'deaf', 'sends_stuck'] },
    question:
      'How many sockets did a worker replace because they were open in name only, and what was wrong with them?',
  },
  WorkersUnwell: {
    ...trouble,
    dimensions: { because: ['runner_stuck', 'deaf', 'sends_stuck'] },
    question: 'How many workers asked to be drained because new sockets did not help, and what was wrong with them?',
  },
  FirstContacts: {
    ...count,
    question: 'How many messages were sent to people with whom their account had never talked?',
  },
  ContactsNotKept: {
    ...trouble,
    question: 'How many people are not among the contacts of their connection because too many are new there today?',
  },
  ChatsNotKept: {
    ...trouble,
    question: 'How many chats are not in the list of their connection because too many are new there today?',
  },
  MessagesSent: { ...count, question: 'How many messages did WhatsApp take from us?' },
  MessagesFiltered: {
    ...count,
    dimensions: { kind: ['people', 'groups', 'statusUpdates', 'newsletters', 'broadcasts', 'types'] },
    question:
      'How many messages were dropped because their connection is set so, for the chat that they came in or for their type?',
  },
  ReadReceiptsLost: {
    ...trouble,
    question: 'How many messages stay unread although their connection marks them as read?',
  },
  CallsRejected: {
    ...trouble,
    dimensions: { outcome: ['done', 'failed'] },
    question: 'How many calls were refused because their connection is set so?',
  },
  FactsRefused: {
    ...trouble,
    dimensions: { reason: ['malformed', 'too_large', 'unknown_kind'] },
    question:
      'How many facts could not be told as they came, because the schema, the queue or a store takes none like them?',
  },
  RetryReceipts: {
    ...trouble,
    question: 'How many requests to repeat came from recipients, for so many MessagesSent?',
  },
  RetryReceiptsRefused: {
    ...trouble,
    dimensions: {
      reason: ['malformed', 'unknown_message', 'not_a_recipient', 'not_a_member', 'too_old', 'not_kept', 'too_many'],
    },
    question: 'How many requests to repeat a message were not answered, and why?',
  },
  UnreadableMessages: {
    ...trouble,
    dimensions: { outcome: ['asked', 'given_up'] },
    question: 'How many messages could not be decrypted, and was their sender asked to repeat them?',
  },
  ReceiptsNotCounted: {
    ...trouble,
    question: 'For how many messages was a receipt not counted, because one person named more than can wait?',
  },
  SessionsRenewed: {
    ...trouble,
    dimensions: { sinceLast: ['over_a_day', 'under_a_day'] },
    question: 'How many Signal sessions were replaced, and how many of them again within a day, which means a defect?',
  },
  PlaintextsNotKept: {
    ...trouble,
    dimensions: { cause: ['too_large', 'over_budget', 'refused'] },
    question: 'How many messages that cannot be shown yet were told without being kept for a later version, and why?',
  },
  AppStateFailed: {
    ...trouble,
    dimensions: { end: ['refused', 'key_missing', 'damaged', 'unanswered'] },
    question: 'How often could the state that the devices of an account share not be followed or written, and why?',
  },
  AppStateChangesIgnored: {
    ...trouble,
    dimensions: { because: ['unknown', 'malformed'] },
    question:
      'How many changes of other devices were passed over, for want of a meaning here or because nobody could read them?',
  },
  SessionItemsTooLarge: {
    ...trouble,
    question:
      'How many items of sessions were not stored because the table cannot hold them (app state of large accounts)?',
  },
  BreakerState: {
    ...flag,
    dimensions: { dependency: ['dynamodb', 'sqs', 'kms', 's3'] },
    question: 'Is a service asked (0), tried (1), or left alone because it does not answer (2)?',
  },
  BreakerOpened: {
    ...trouble,
    dimensions: { dependency: ['dynamodb', 'sqs', 'kms', 's3', 'webhook', 'sends', 'look_ups'] },
    question: 'How often did something stop being asked because it failed five times in a row?',
  },
  SendBrakes: {
    ...trouble,
    dimensions: { cause: ['restricted', 'time_locked', 'capped', 'too_fast'] },
    question: 'How often did WhatsApp stop an account from writing to new people, or from sending at all, and how?',
  },
  WatchdogSteps: {
    ...trouble,
    dimensions: { rung: ['restart', 'hand_off', 'drain', 'confirm_death', 'stop_task'] },
    question: 'How often did the watchdog have to step in, and how far did it go?',
  },
  WatchdogBrake: { ...flag, question: 'Does so much look bad at once that the watchdog does no more than restart?' },
  ClientVersionRefused: {
    ...trouble,
    question: 'How many client versions has WhatsApp refused (405), each counted once for the fleet?',
  },
  WorkerMemoryShare: {
    kind: 'gauge',
    unit: 'None',
    dimensions: {},
    question: 'How much of its memory limit does a worker use, from 0 to 1?',
  },
  EventLoopDelay: {
    ...duration,
    question: 'How late is the event loop of a worker, 99th percentile of each quarter of a minute?',
  },
  WorkerRecycled: {
    ...trouble,
    dimensions: { reason: ['age', 'memory', 'memory_critical'] },
    question: 'How many workers ended by themselves to be replaced by new ones, and why?',
  },
  ScopeResources: {
    ...level,
    dimensions: { kind: ['timer', 'listener', 'socket', 'other'] },
    question:
      'How much does a worker hold of what must be released, which grows and falls with its connections unless it leaks?',
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
  CommandsEnded: {
    ...count,
    dimensions: { outcome: ['sent', 'refused', 'expired', 'failed'] },
    question:
      'How did accepted messages end: with WhatsApp, refused for a reason of their own, past their time, or by our failure?',
  },
  CommandAge: { ...duration, question: 'How long after it was accepted, or due, did WhatsApp take a message?' },
  DueMessages: { ...count, question: 'How many scheduled messages were put into the queue?' },
  DueMessagesLate: { ...duration, question: 'How long after its time was a scheduled message put into the queue?' },
  MessagesSwept: {
    ...trouble,
    question: 'How many messages stood still long after they were queued, and were put into the queue again?',
  },
  BulkMessages: { ...count, question: 'How many messages of bulk sends were put into the queue?' },
  ArchiveJobsEnded: {
    ...trouble,
    dimensions: { outcome: ['export_done', 'export_failed', 'erasure_done', 'tenant_deleted'] },
    question: 'How many exports, erasures of contacts and deletions of tenants were over?',
  },
  ArchiveStuck: {
    ...trouble,
    question:
      'How often was an export, an erasure or the deletion of a tenant looked at in vain that had come no further for an hour?',
  },
  BulkSendsEnded: { ...count, question: 'How many bulk sends were over, with all of their messages or before?' },
  MediaFetched: {
    ...count,
    dimensions: { outcome: ['ready', 'gone', 'phone_offline', 'unreachable', 'broken'] },
    question:
      'What became of the files of messages: here, no longer anywhere, on a phone that did not answer, never given by its hosts, or not what their senders sealed?',
  },
  FilesAskedOfPhone: { ...trouble, question: 'How often were phones asked for a file that WhatsApp no longer has?' },
  PhoneFileAnswers: {
    ...trouble,
    dimensions: { answer: ['given', 'absent', 'failed', 'unreadable'] },
    question: 'What did phones answer: here it is, it is not here, not now, or something that its seal does not fit?',
  },
  MediaFetchTime: { ...duration, question: 'How long did it take to fetch a file, from the host to its place?' },
  HistoryParts: {
    ...trouble,
    dimensions: { outcome: ['done', 'failed'] },
    question: 'How many parts of histories that phones sent were taken in, and how many never can be?',
  },
  HistoryMessages: {
    ...trouble,
    dimensions: { outcome: ['stored', 'known', 'acts', 'system', 'unreadable'] },
    question: 'What became of the messages in histories?',
  },
  MediaUploaded: {
    ...count,
    dimensions: { outcome: ['uploaded', 'failed', 'unfit', 'needs_token'] },
    question:
      'What became of the files that messages are made of: at WhatsApp, never there, not what phones show, or waiting for another token of the account?',
  },
  MediaUploadTime: { ...duration, question: 'How long did one run take to prepare, seal and upload a file?' },
  ActionsFinished: {
    ...count,
    dimensions: { outcome: ['succeeded', 'refused', 'expired', 'failed'] },
    question:
      'How did actions end: done, refused by WhatsApp or its limits, never begun in time, or by silence or our failure?',
  },
  ActionsFailed: {
    ...trouble,
    dimensions: {
      kind: actionKindNames,
    },
    question: 'Which kinds of actions ended without an answer of WhatsApp, or by our failure?',
  },
  ActionDuration: { ...duration, question: 'How long does WhatsApp take for what it is asked by actions?' },
  SendsLate: {
    ...level,
    question: 'On how many online connections has an accepted message waited for more than a minute?',
  },
  LongestWait: {
    kind: 'gauge',
    unit: 'Milliseconds',
    dimensions: {},
    question: 'For how long has the accepted message waited that has waited longest on an online connection?',
  },
  EventLag: { ...duration, question: 'How long after something happened on WhatsApp was it stored?' },
  EventToDelivery: { ...duration, question: 'How long after something happened was a tenant first told by webhook?' },
  ChainsStood: {
    ...trouble,
    question:
      'How many chains of webhooks in strict order were gone on with long after their time, as nothing had stood for them?',
  },
  DeliveryAttempts: {
    ...count,
    dimensions: { outcome: ['delivered', 'failed', 'gone'] },
    question: 'How many webhooks did tenants take, fail to take, or want no more?',
  },
  // These two are not sent where nobody listens.
  StreamClients: { ...level, isRare: true, question: 'How many clients listen to the stream of events?' },
  StreamsEnded: {
    ...trouble,
    dimensions: { reason: ['gone', 'time', 'draining', 'slow_reader', 'place_lost', 'key_ended', 'unavailable'] },
    question: 'Why did streams of events end?',
  },
  CanaryDuration: { ...duration, question: 'How long did a message of the canary to itself take?' },
  CanaryFailed: { ...trouble, question: 'How often did a message of the canary to itself not arrive?' },
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof metricCatalogue;
type NameOf<Kind extends MetricDefinition['kind']> = {
  [Name in MetricName]: (typeof metricCatalogue)[Name]['kind'] extends Kind ? Name : never;
}[MetricName];
export type CountName = NameOf<'count'>;
export type MeasureName = NameOf<'measure'>;
export type GaugeName = NameOf<'gauge'>;

type Definition<Name extends MetricName> = (typeof metricCatalogue)[Name]['dimensions'];
/** The dimensions to give with a metric: each of them, with one of its values, and no others. */
export type DimensionsOf<Name extends MetricName> = keyof Definition<Name> extends never
  ? Readonly<Record<string, never>>
  : {
      readonly [Key in keyof Definition<Name>]: Definition<Name>[Key] extends readonly (infer Value)[] ? Value : never;
    };
