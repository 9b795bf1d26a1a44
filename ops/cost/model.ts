import { metricCatalogue, type MetricDefinition } from '../../shared/platform/metricCatalogue.ts';
import { queueDefinitions } from '../../shared/platform/queues.ts';
import type { Figures } from './assumptions.ts';
import type { Flow } from './messageCounts.ts';
import { aloneShareAt, linesOf, sumLines, toLine, type Line, type Part } from './messageLines.ts';
import type { PriceName } from './prices.ts';
import { shapeFor, type Shape } from './shape.ts';
import { streamLines } from './streamLines.ts';

export interface Bill {
  readonly shape: Shape;
  readonly lines: readonly Line[];
  readonly usd: number;
}

const HOURS = 730;
const SECONDS = HOURS * 3_600;
const DAYS = HOURS / 24;
const MILLION = 1_000_000;
const KB_PER_GB = 1_000_000;
/** A read unit is 4 KB; a lease or a shard row is far below 1 KB, so a table read costs one for each 4 rows. */
const ROWS_PER_READ_UNIT = 4;

/** The monthly bill of a stage. The function is pure. */
export function billFor(connections: number, figures: Figures): Bill {
  const shape = shapeFor(connections, figures);
  const month = trafficOf(connections, figures);
  const lines: Line[] = [];
  const add = (part: Part, what: string, price: PriceName, quantity: number): void => {
    lines.push(toLine(part, what, price, quantity));
  };
  addWorkers(add, shape, figures);
  lines.push(...messageLines(month, figures));
  addTables(add, shape, month, figures);
  addQueues(add, shape, figures);
  addFunctions(add, month, figures);
  addFiles(add, month, figures);
  lines.push(...streamLines(figures));
  add('network', 'addresses of the workers', 'publicIpMonth', shape.workers);
  add('network', 'sent to WhatsApp', 'egressGb', (connections * figures.egressMbPerMonth) / 1_000);
  addWatching(add, shape, figures);
  const allOf = (price: PriceName): number =>
    lines.reduce((sum, line) => sum + (line.price === price ? line.quantity : 0), 0);
  add('DynamoDB', 'nightly backups', 'backupGbMonth', allOf('tableGbMonth') * figures.backupDays);
  add('watching', 'traces', 'traceMillion', (allOf('lambdaMillion') * figures.tracePercent) / 100);
  return { shape, lines, usd: lines.reduce((sum, { usd }) => sum + usd, 0) };
}

type Add = (part: Part, what: string, price: PriceName, quantity: number) => void;

/** The traffic of all connections in a month. */
interface Traffic {
  readonly connections: number;
  readonly received: number;
  readonly sent: number;
  /** API calls that send nothing. */
  readonly otherCalls: number;
}

function trafficOf(connections: number, figures: Figures): Traffic {
  const days = connections * DAYS;
  const received = days * figures.receivedPerDay;
  const sent = days * figures.sentPerDay;
  return { connections, received, sent, otherCalls: days * Math.max(0, figures.apiCallsPerDay - figures.sentPerDay) };
}

/** What the messages of a month cost by themselves, with as much shared as their rate allows. */
function messageLines({ received, sent }: Traffic, figures: Figures): readonly Line[] {
  const aloneShare = aloneShareAt(((received + sent) / SECONDS) * figures.busyFactor, figures);
  const of = (flow: Flow, messages: number) => linesOf(flow, messages, aloneShare, figures);
  // What became of a file is told as a receipt is: one fact, one event, one change of a row.
  const told = sent + received * figures.fileShare;
  return sumLines([...of('send', sent), ...of('read', told), ...of('received', received)]);
}

function addWorkers(add: Add, { workers }: Shape, { workerCpus, workerGb }: Figures): void {
  add('workers', 'processors', 'fargateCpuHour', workers * workerCpus * HOURS);
  add('workers', 'memory', 'fargateGbHour', workers * workerGb * HOURS);
}

function addTables(add: Add, shape: Shape, { connections }: Traffic, figures: Figures): void {
  const days = connections * DAYS;
  const contacts =
    days * figures.firstContactsInPerDay * figures.sessionFirstIn +
    days * figures.firstContactsOutPerDay * figures.sessionFirstOut +
    days * figures.loginsPerDay * figures.sessionLogin +
    connections * figures.pairingsPerMonth * figures.sessionPairing;
  const fleet = shape.workers * SECONDS * figures.coordinationWrites;
  const rows = shape.workers + shape.shards;
  const fleetReads =
    shape.workers * SECONDS * figures.coordinationRowReads +
    (SECONDS * figures.coordinationScans * rows) / ROWS_PER_READ_UNIT;
  const gb = (connections * figures.sessionKb) / KB_PER_GB;
  add('DynamoDB', 'contacts, logins and pairings written', 'writeUnitMillion', contacts / MILLION);
  add('DynamoDB', 'leases written', 'writeUnitMillion', fleet / MILLION);
  add('DynamoDB', 'leases and shards read', 'readUnitMillion', fleetReads / MILLION);
  add('DynamoDB', 'sessions kept', 'tableGbMonth', gb);
  add('DynamoDB', 'sessions kept for recovery', 'recoveryGbMonth', gb);
}

function addQueues(add: Add, { shards }: Shape, { pollSeconds, pollersPerFunction }: Figures): void {
  const pollsPerPoller = SECONDS / pollSeconds;
  add('SQS', 'empty polls of the shards', 'fifoMillion', (shards * pollsPerPoller) / MILLION);
  add('SQS', 'empty polls for ingest', 'fifoMillion', (pollersPerFunction * pollsPerPoller) / MILLION);
  // Deliver has two queues.
  add('SQS', 'empty polls for deliver', 'standardMillion', (2 * pollersPerFunction * pollsPerPoller) / MILLION);
  add('SQS', 'empty polls for media', 'standardMillion', (pollersPerFunction * pollsPerPoller) / MILLION);
}

function addFunctions(add: Add, { otherCalls }: Traffic, figures: Figures): void {
  const ms = otherCalls * figures.apiMs;
  add('functions', 'other calls of functions', 'lambdaMillion', otherCalls / MILLION);
  add('functions', 'time of other calls', 'lambdaGbSecond', (ms / 1_000) * figures.functionGb);
  add('functions', 'other API calls', 'httpApiMillion', otherCalls / MILLION);
  add('functions', 'keys', 'keyMonth', figures.keys);
}

/** Fetching and keeping the files of messages. A job is sent, received and deleted. */
function addFiles(add: Add, { received }: Traffic, figures: Figures): void {
  const files = received * figures.fileShare;
  const millions = files / MILLION;
  add('files', 'rows of files written', 'writeUnitMillion', millions * figures.fileRowWrites);
  add('files', 'rows of files read', 'readUnitMillion', millions * figures.fileRowReads);
  add('files', 'jobs', 'standardMillion', millions * 3);
  add('files', 'jobs, fair', 'fairMillion', millions * 3);
  add('files', 'fetches', 'lambdaMillion', millions);
  add('files', 'time of fetches', 'lambdaGbSecond', files * (figures.fileMs / 1_000) * figures.fileFunctionGb);
  add('files', 'objects written', 'objectPutMillion', millions * figures.fileWrites);
  add('files', 'objects kept', 'objectGbMonth', (files * figures.fileKb * figures.fileDays) / DAYS / KB_PER_GB);
}

function addWatching(add: Add, { connections, workers }: Shape, figures: Figures): void {
  const logKb = connections * figures.logKbPerConnectionDay + workers * figures.logMbPerWorkerDay * 1_000;
  add('watching', 'metrics', 'metricMonth', billedMetrics(figures.rareMetricHours));
  add('watching', 'alarms', 'alarmMonth', figures.alarms);
  add('watching', 'dashboards', 'dashboardMonth', figures.dashboards);
  add('watching', 'logs', 'logGb', (logKb * DAYS) / KB_PER_GB);
}

/**
 * The number of metrics of the catalogue that are billed in one stage: each combination of dimensions counts for the
 * hours in which it is sent.
 * @param rareHours the share of the hours in which a metric is sent that says nothing while all is well
 */
export function billedMetrics(rareHours: number): number {
  const definitions: readonly MetricDefinition[] = Object.values(metricCatalogue);
  return definitions
    .map(({ dimensions, isRare = false }) => {
      const combinations = Object.values(dimensions).reduce((product, values) => product * values.length, 1);
      return combinations * (isRare ? rareHours : 1);
    })
    .reduce((sum, billed) => sum + billed, 0);
}

/** The number of queues of a stage, dead-letter queues included. */
export function queueCount({ shards }: Shape): number {
  return queueDefinitions('any', shards).length;
}
