import { keptDays } from '../../shared/media/objectRetention.ts';
import { retentionSeconds } from '../../shared/platform/expiry.ts';

/**
 * One assumption of the model. Each is a flag of `npm run cost` under its own name (`--ram-mb-per-connection 15`) and
 * appears in the output. `measured`: by the named bench or run. `counted`: in our code or settings. `chosen`: a guess
 * at how customers behave, or a choice of ours; put your own figure there.
 */
export interface Assumption {
  readonly value: number;
  readonly unit: string;
  readonly basis: 'measured' | 'counted' | 'chosen';
  readonly why: string;
}

const DAY_SECONDS = 86_400;

export const assumptions = {
  // Traffic of one connection.
  receivedPerDay: { value: 100, unit: 'messages', basis: 'chosen', why: 'per connection' },
  sentPerDay: { value: 30, unit: 'messages', basis: 'chosen', why: 'per connection' },
  livelyShare: { value: 0.8, unit: 'of received', basis: 'chosen', why: 'come within seconds of others of their chat' },
  firstContactsInPerDay: { value: 1, unit: 'contacts', basis: 'chosen', why: 'who write for the first time' },
  firstContactsOutPerDay: { value: 1, unit: 'contacts', basis: 'chosen', why: 'who are written to for the first time' },
  pairingsPerMonth: { value: 0.1, unit: 'pairings', basis: 'chosen', why: 'per connection' },
  loginsPerDay: { value: 2, unit: 'logins', basis: 'chosen', why: 'after deploys and lost networks' },
  apiCallsPerDay: { value: 60, unit: 'calls', basis: 'chosen', why: 'per connection, those that send included' },
  endpoints: { value: 1, unit: 'webhooks', basis: 'chosen', why: 'that want every event' },
  egressMbPerMonth: { value: 28, unit: 'MB', basis: 'chosen', why: 'to WhatsApp, per connection; texts only' },
  webhookKb: { value: 1.5, unit: 'KB', basis: 'counted', why: 'one webhook of a text, with its headers' },
  answerKb: { value: 1, unit: 'KB', basis: 'counted', why: 'the answer to one send' },
  // Files of messages that come.
  fileShare: { value: 0.2, unit: 'of received', basis: 'chosen', why: 'bring a file that is fetched' },
  fileKb: { value: 300, unit: 'KB', basis: 'chosen', why: 'one file: most are pictures and voice notes' },
  fileDays: { value: keptDays, unit: 'days', basis: 'counted', why: 'a file is kept' },
  fileWrites: {
    value: 1,
    unit: 'writes',
    basis: 'counted',
    why: 'of one file up to 5 MiB; a larger one takes one for each, and two',
  },
  fileMs: { value: 1_500, unit: 'ms', basis: 'chosen', why: 'one fetch, most of which waits for WhatsApp' },
  fileFunctionGb: { value: 1, unit: 'GB', basis: 'counted', why: 'the memory of the media function' },
  fileRowWrites: {
    value: 12,
    unit: 'write units',
    basis: 'counted',
    why: 'its row, and what became of it; its small picture of 3 KB; that it holds its object, and the sum of its tenant',
  },
  fileRowReads: {
    value: 5,
    unit: 'read units',
    basis: 'counted',
    why: 'its row, before and after the fetch; for how long it is kept, and who holds its object',
  },
  // What an event writes and reads.
  sessionReceiveLively: { value: 0.15, unit: 'write units', basis: 'measured', why: 'bench:sessions, lively chat' },
  sessionReceiveAlone: { value: 1, unit: 'write units', basis: 'measured', why: 'bench:sessions, message alone' },
  sessionSend: {
    value: 1.2,
    unit: 'write units',
    basis: 'measured',
    why: 'bench:messages, a known contact: the message as it left, and steps stored ahead',
  },
  sessionFirstIn: {
    value: 4.2,
    unit: 'write units',
    basis: 'measured',
    why: 'bench:sessions, first message from a contact',
  },
  sessionFirstOut: {
    value: 7.4,
    unit: 'write units',
    basis: 'measured',
    why: 'bench:sessions, first message to a contact',
  },
  sessionPairing: { value: 45, unit: 'write units', basis: 'measured', why: 'bench:sessions' },
  sessionLogin: { value: 1, unit: 'write units', basis: 'measured', why: 'bench:sessions' },
  keyedShare: { value: 1, unit: 'of sent', basis: 'chosen', why: 'come with an Idempotency-Key' },
  busyFactor: { value: 3, unit: 'times the mean', basis: 'chosen', why: 'the traffic when most messages come' },
  halfSharedAt: {
    value: 20,
    unit: 'messages a second',
    basis: 'chosen',
    why: 'half of what a message alone costs more is saved; ops/cost/messageCounts.ts has both ends',
  },
  coordinationWrites: { value: 0.2, unit: 'writes per worker and s', basis: 'measured', why: 'bench:coordination' },
  coordinationRowReads: { value: 0.266, unit: 'reads per worker and s', basis: 'measured', why: 'bench:coordination' },
  coordinationScans: {
    value: 1.13,
    unit: 'table reads per s',
    basis: 'measured',
    why: 'bench:coordination: 0.28 by each of 4 workers; leader and deputy',
  },
  // Storage.
  messageKb: { value: 0.5, unit: 'KB', basis: 'chosen', why: 'rows of one message' },
  sentKb: { value: 0.3, unit: 'KB', basis: 'measured', why: 'a message as it left, sealed; a text of 60 characters' },
  sentDays: { value: retentionSeconds.sentMessage / DAY_SECONDS, unit: 'days', basis: 'counted', why: 'it is kept' },
  messageDays: { value: retentionSeconds.message / DAY_SECONDS, unit: 'days', basis: 'counted', why: 'it is kept' },
  eventKb: { value: 1, unit: 'KB', basis: 'chosen', why: 'one event, with what guards it against repetition' },
  eventDays: { value: retentionSeconds.event / DAY_SECONDS, unit: 'days', basis: 'counted', why: 'it is kept' },
  sessionKb: { value: 200, unit: 'KB', basis: 'chosen', why: 'credentials and Signal keys of one connection' },
  backupDays: {
    value: 3,
    unit: 'days',
    basis: 'counted',
    why: 'each nightly backup is whole and kept for so long',
  },
  // Requests and functions.
  pollSeconds: { value: 20, unit: 's', basis: 'counted', why: 'one long poll of a shard queue' },
  pollersPerFunction: {
    value: 5,
    unit: 'pollers',
    basis: 'chosen',
    why: 'that Lambda keeps for each of its queues',
  },
  functionGb: { value: 0.5, unit: 'GB', basis: 'chosen', why: 'memory of each function' },
  apiMs: { value: 30, unit: 'ms', basis: 'chosen', why: 'one API call' },
  ingestMs: { value: 40, unit: 'ms', basis: 'chosen', why: 'one run, whatever it has in hand' },
  deliverMs: { value: 150, unit: 'ms', basis: 'chosen', why: "one run; mostly the customer's own time" },
  // Workers.
  ramMbPerConnection: { value: 0.35, unit: 'MB', basis: 'measured', why: 'at rest; grows with contacts and traffic' },
  workerMb: { value: 163, unit: 'MB', basis: 'measured', why: 'a worker without connections, resident' },
  memoryFill: { value: 0.75, unit: 'of memory', basis: 'chosen', why: 'filled at most, to take over from another' },
  connectionsPerWorker: {
    value: 800,
    unit: 'connections',
    basis: 'chosen',
    why: 'at most: 1,000 are a full worker, and the service grows when workers are four fifths full',
  },
  leastWorkers: { value: 2, unit: 'workers', basis: 'chosen', why: 'so that one can take over' },
  workerCpus: { value: 1, unit: 'vCPU', basis: 'chosen', why: 'of one task' },
  workerGb: { value: 4, unit: 'GB', basis: 'chosen', why: 'of one task' },
  shardCap: { value: 50, unit: 'connections', basis: 'counted', why: 'HOLDFAST_SHARD_CAP' },
  shardFill: { value: 0.8, unit: 'of a shard', basis: 'chosen', why: 'filled at most' },
  leastShards: { value: 16, unit: 'shards', basis: 'counted', why: 'what a stage gets without settings' },
  // Streams of events.
  streams: { value: 0, unit: 'streams', basis: 'chosen', why: 'that are open all day, where the stage serves them' },
  streamsPerTenant: { value: 2, unit: 'streams', basis: 'chosen', why: 'of one tenant' },
  streamsPerTask: { value: 5_000, unit: 'streams', basis: 'counted', why: 'that a task takes' },
  streamTasks: { value: 2, unit: 'tasks', basis: 'counted', why: 'at least; the small shape has one' },
  streamSeconds: { value: 840, unit: 's', basis: 'counted', why: 'a stream lasts, and is opened again' },
  streamLookSeconds: {
    value: 2,
    unit: 's',
    basis: 'chosen',
    why: 'between looks at a log at which little happens; 0.2 where events come',
  },
  streamLookReads: { value: 0.5, unit: 'read units', basis: 'counted', why: 'of a look that finds nothing' },
  streamKeySeconds: { value: 15, unit: 's', basis: 'counted', why: 'between looks of a stream at its key' },
  streamPlaceSeconds: {
    value: 75,
    unit: 's',
    basis: 'counted',
    why: 'between writes that hold the places of a tenant in a task',
  },
  zones: { value: 2, unit: 'zones', basis: 'counted', why: 'in which the load balancer of streams has an address' },
  // Watching.
  alarms: {
    value: 120,
    unit: 'alarms',
    basis: 'counted',
    why: 'as they are billed: each metric of one, three for a band, five for one made of others; the small shape, with room',
  },
  rareMetricHours: { value: 0.1, unit: 'of the hours', basis: 'chosen', why: 'in which a metric of troubles is sent' },
  dashboards: {
    value: 1,
    unit: 'dashboards',
    basis: 'counted',
    why: 'the small shape; the large ones have one for each concern',
  },
  logKbPerConnectionDay: { value: 5, unit: 'KB', basis: 'chosen', why: 'its lifecycle, at level info' },
  logKbPerRun: {
    value: 0.9,
    unit: 'KB',
    basis: 'counted',
    why: "one run of a function: metrics and Lambda's own lines",
  },
  logKbPerDelivery: { value: 0.4, unit: 'KB', basis: 'measured', why: 'one line for each attempt' },
  logMbPerWorkerDay: { value: 20, unit: 'MB', basis: 'chosen', why: 'metrics each minute, and its lifecycle' },
  tracePercent: { value: 1, unit: '% of runs', basis: 'counted', why: 'that X-Ray traces; the setting tracePercent' },
  keys: { value: 1, unit: 'KMS keys', basis: 'counted', why: 'that wraps the data keys' },
} as const satisfies Record<string, Assumption>;

export type AssumptionName = keyof typeof assumptions;
/** The figures alone, with the flags applied. */
export type Figures = Readonly<Record<AssumptionName, number>>;

export const defaultFigures = Object.fromEntries(
  Object.entries(assumptions).map(([name, { value }]) => [name, value]),
) as Figures;
