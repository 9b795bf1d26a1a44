import type { Figures } from './assumptions.ts';
import { countsAt, eventsOf, flows, keyWriteUnits, type Flow, type Step, type StepCounts } from './messageCounts.ts';
import { prices, type PriceName } from './prices.ts';

export const parts = ['workers', 'DynamoDB', 'SQS', 'functions', 'files', 'streams', 'network', 'watching'] as const;
export type Part = (typeof parts)[number];

/** A quantity at its price. */
export interface Line {
  readonly part: Part;
  readonly what: string;
  readonly price: PriceName;
  /** The quantity, in the unit of the price. */
  readonly quantity: number;
  readonly usd: number;
}

const MILLION = 1_000_000;
const KB_PER_GB = 1_000_000;
const DAYS_PER_MONTH = 730 / 24;

export function toLine(part: Part, what: string, price: PriceName, quantity: number): Line {
  return { part, what, price, quantity, usd: quantity * prices[price].usd };
}

/**
 * The share of what a message alone costs more that is left at a rate: 1 at rest, a half at `halfSharedAt`, and less and
 * less. What is spent in all grows with the rate whatever the figures are.
 * @param perSecond messages a second, sent and received
 */
export function aloneShareAt(perSecond: number, { halfSharedAt }: Figures): number {
  return 1 / (1 + perSecond / halfSharedAt);
}

/** What some messages cost by themselves, in all services, line by line. The function is pure. */
export function linesOf(flow: Flow, messages: number, aloneShare: number, figures: Figures): readonly Line[] {
  const { endpoints } = figures;
  const of = (step: Step): StepCounts => countsAt(flow, step, aloneShare);
  const [api, worker, ingest, deliver] = [of('api'), of('worker'), of('ingest'), of('deliver')];
  const reads = api.readUnits + worker.readUnits + ingest.readUnits + deliver.readUnits * endpoints;
  const keyed = flow === 'send' ? figures.keyedShare * between(keyWriteUnits, aloneShare) : 0;
  const deliveries = eventsOf[flow] * endpoints;
  const millions = messages / MILLION;
  const fair = (ingest.fair + deliver.fair) * endpoints;
  const runs = { api: api.runs, ingest: ingest.runs, deliver: deliver.runs * endpoints };
  const ms = runs.api * figures.apiMs + runs.ingest * figures.ingestMs + runs.deliver * figures.deliverMs;
  const allRuns = runs.api + runs.ingest + runs.deliver;
  const logKb = allRuns * figures.logKbPerRun + deliveries * figures.logKbPerDelivery;
  return [
    toLine('DynamoDB', 'accepted', 'writeUnitMillion', millions * (api.writeUnits + keyed)),
    toLine('DynamoDB', 'begun by a worker', 'writeUnitMillion', millions * worker.writeUnits),
    toLine('DynamoDB', 'sessions written', 'writeUnitMillion', millions * sessionUnits(flow, figures)),
    toLine('DynamoDB', 'messages and events written', 'writeUnitMillion', millions * ingest.writeUnits),
    toLine('DynamoDB', 'attempts written', 'writeUnitMillion', millions * deliver.writeUnits * endpoints),
    toLine('DynamoDB', 'read', 'readUnitMillion', millions * reads),
    ...keptLines(flow, messages, figures),
    toLine('SQS', 'commands and facts', 'fifoMillion', millions * (api.fifo + worker.fifo + ingest.fifo)),
    toLine('SQS', 'deliveries', 'standardMillion', millions * fair),
    toLine('SQS', 'deliveries, fair', 'fairMillion', millions * fair),
    toLine('functions', 'calls of functions', 'lambdaMillion', millions * allRuns),
    toLine('functions', 'time of functions', 'lambdaGbSecond', messages * (ms / 1_000) * figures.functionGb),
    toLine('functions', 'API calls', 'httpApiMillion', millions * api.runs),
    toLine('network', 'webhooks and answers', 'egressGb', (messages * egressKb(api, deliveries, figures)) / KB_PER_GB),
    toLine('watching', 'logs of functions', 'logGb', (messages * logKb) / KB_PER_GB),
  ].filter(({ quantity }) => quantity > 0);
}

function egressKb({ runs }: StepCounts, deliveries: number, { webhookKb, answerKb }: Figures): number {
  return runs * answerKb + deliveries * webhookKb;
}

/** What the Signal session of a chat writes for a message; a `read` touches none. */
function sessionUnits(flow: Flow, figures: Figures): number {
  const { livelyShare, sessionReceiveLively, sessionReceiveAlone, sessionSend } = figures;
  if (flow === 'received') return livelyShare * sessionReceiveLively + (1 - livelyShare) * sessionReceiveAlone;
  return flow === 'send' ? sessionSend : 0;
}

/** What is kept of a message and its events until it expires, with the copies for recovery. */
function keptLines(flow: Flow, messages: number, figures: Figures): readonly Line[] {
  const { messageKb, messageDays, sentKb, sentDays, eventKb, eventDays } = figures;
  const rows = flow === 'read' ? 0 : messageKb * messageDays;
  const asItLeft = flow === 'send' ? sentKb * sentDays : 0;
  const gbMonths = (messages * (rows + asItLeft + eventsOf[flow] * eventKb * eventDays)) / DAYS_PER_MONTH / KB_PER_GB;
  return [
    toLine('DynamoDB', 'kept', 'tableGbMonth', gbMonths),
    toLine('DynamoDB', 'kept for recovery', 'recoveryGbMonth', gbMonths),
  ];
}

function between({ shared, alone }: Readonly<Record<'shared' | 'alone', number>>, aloneShare: number): number {
  return shared + (alone - shared) * aloneShare;
}

/** Lines of the same name and price as one. */
export function sumLines(lines: readonly Line[]): readonly Line[] {
  const groups = Map.groupBy(lines, ({ part, what, price }) => `${part} ${what} ${price}`);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const quantity = group.reduce((sum, line) => sum + line.quantity, 0);
    return [toLine(first.part, first.what, first.price, quantity)];
  });
}

/** What a million messages cost: sent, with all three events of one, or received. */
export function millionOf(kind: 'sent' | 'received', aloneShare: number, figures: Figures): readonly Line[] {
  const made = kind === 'received' ? (['received'] as const) : flows.filter((flow) => flow !== 'received');
  return sumLines(made.flatMap((flow) => linesOf(flow, MILLION, aloneShare, figures)));
}
