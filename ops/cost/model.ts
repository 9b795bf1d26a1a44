import { metricCatalogue, type MetricDefinition } from '../../shared/platform/metricCatalogue.ts';
import { queueDefinitions } from '../../shared/platform/queues.ts';
import type { Figures } from './assumptions.ts';
import { prices, type PriceName } from './prices.ts';
import { shapeFor, type Shape } from './shape.ts';

/** One line of the bill: a quantity at its price. */
export interface Line {
  readonly part: Part;
  readonly what: string;
  readonly price: PriceName;
  /** The quantity per month, in the unit of the price. */
  readonly quantity: number;
  readonly usd: number;
}

export const parts = ['workers', 'DynamoDB', 'SQS', 'functions', 'network', 'watching'] as const;
export type Part = (typeof parts)[number];

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
    lines.push({ part, what, price, quantity, usd: quantity * prices[price].usd });
  };
  addWorkers(add, shape, figures);
  addTables(add, shape, month, figures);
  addQueues(add, shape, month, figures);
  addFunctions(add, month, figures);
  add('network', 'addresses of the workers', 'publicIpMonth', shape.workers);
  add('network', 'sent to WhatsApp and customers', 'egressGb', (connections * figures.egressMbPerMonth) / 1_000);
  addWatching(add, shape, figures);
  return { shape, lines, usd: lines.reduce((sum, { usd }) => sum + usd, 0) };
}

type Add = (part: Part, what: string, price: PriceName, quantity: number) => void;

/** The traffic of all connections in a month. */
interface Traffic {
  readonly connections: number;
  readonly received: number;
  readonly sent: number;
  readonly events: number;
  readonly deliveries: number;
  readonly apiCalls: number;
}

function trafficOf(connections: number, figures: Figures): Traffic {
  const days = connections * DAYS;
  const received = days * figures.receivedPerDay;
  const sent = days * figures.sentPerDay;
  const events = received + sent * figures.eventsPerSend;
  const apiCalls = days * Math.max(figures.apiCallsPerDay, figures.sentPerDay);
  return { connections, received, sent, events, deliveries: events * figures.endpoints, apiCalls };
}

function addWorkers(add: Add, { workers }: Shape, { workerCpus, workerGb }: Figures): void {
  add('workers', 'processors', 'fargateCpuHour', workers * workerCpus * HOURS);
  add('workers', 'memory', 'fargateGbHour', workers * workerGb * HOURS);
}

function addTables(
  add: Add,
  shape: Shape,
  { connections, received, sent, events, deliveries }: Traffic,
  figures: Figures,
): void {
  const days = connections * DAYS;
  const receive =
    figures.livelyShare * figures.sessionReceiveLively + (1 - figures.livelyShare) * figures.sessionReceiveAlone;
  const sessions =
    received * receive +
    sent * figures.sessionSend +
    days * figures.firstContactsInPerDay * figures.sessionFirstIn +
    days * figures.firstContactsOutPerDay * figures.sessionFirstOut +
    days * figures.loginsPerDay * figures.sessionLogin +
    connections * figures.pairingsPerMonth * figures.sessionPairing;
  const core = received * figures.coreReceive + sent * figures.coreSend + deliveries * figures.coreDelivery;
  const fleet = shape.workers * SECONDS * figures.coordinationWrites;
  const rows = shape.workers + shape.shards;
  const fleetReads =
    shape.workers * SECONDS * figures.coordinationRowReads +
    (SECONDS * figures.coordinationScans * rows) / ROWS_PER_READ_UNIT;
  const reads =
    received * figures.coreReadsReceive + sent * figures.coreReadsSend + deliveries * figures.coreReadsDelivery;
  const kept =
    ((received + sent) * figures.messageKb * figures.messageDays +
      sent * figures.sentKb * figures.sentDays +
      events * figures.eventKb * figures.eventDays) /
    DAYS;
  const gb = (kept + connections * figures.sessionKb) / KB_PER_GB;
  add('DynamoDB', 'sessions written', 'writeUnitMillion', sessions / MILLION);
  add('DynamoDB', 'messages and events written', 'writeUnitMillion', core / MILLION);
  add('DynamoDB', 'leases written', 'writeUnitMillion', fleet / MILLION);
  add('DynamoDB', 'messages and events read', 'readUnitMillion', reads / MILLION);
  add('DynamoDB', 'leases and shards read', 'readUnitMillion', fleetReads / MILLION);
  add('DynamoDB', 'kept', 'tableGbMonth', gb);
  add('DynamoDB', 'kept for recovery', 'recoveryGbMonth', gb);
}

function addQueues(add: Add, { shards }: Shape, { sent, events, deliveries }: Traffic, figures: Figures): void {
  const { requestsPerQueueMessage: requests, pollSeconds, pollersPerFunction } = figures;
  const pollsPerPoller = SECONDS / pollSeconds;
  add('SQS', 'empty polls of the shards', 'fifoMillion', (shards * pollsPerPoller) / MILLION);
  add('SQS', 'empty polls for ingest', 'fifoMillion', (pollersPerFunction * pollsPerPoller) / MILLION);
  add('SQS', 'empty polls for deliver', 'standardMillion', (pollersPerFunction * pollsPerPoller) / MILLION);
  add('SQS', 'commands', 'fifoMillion', (sent * requests) / MILLION);
  add('SQS', 'events', 'fifoMillion', (events * requests) / MILLION);
  add('SQS', 'deliveries', 'standardMillion', (deliveries * requests) / MILLION);
  add('SQS', 'deliveries, fair', 'fairMillion', (deliveries * requests) / MILLION);
}

function addFunctions(add: Add, { apiCalls, events, deliveries }: Traffic, figures: Figures): void {
  const ms = apiCalls * figures.apiMs + events * figures.ingestMs + deliveries * figures.deliverMs;
  add('functions', 'calls of functions', 'lambdaMillion', (apiCalls + events + deliveries) / MILLION);
  add('functions', 'time of functions', 'lambdaGbSecond', (ms / 1_000) * figures.functionGb);
  add('functions', 'API calls', 'httpApiMillion', apiCalls / MILLION);
  add('functions', 'keys', 'keyMonth', figures.keys);
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
