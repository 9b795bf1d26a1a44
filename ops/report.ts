import type { TenantLog } from './readTenantLog.ts';
import type { Fleet } from './readFleet.ts';
import { columns, counted, span } from './sentence.ts';

/** Response times of several calls of the API, in milliseconds. */
export type CallTimes = readonly number[];

/** What no source that this command can read knows; the report says so instead of guessing. */
const missing: readonly string[] = [
  'memory and processor time of workers: they do not say them; see the container metrics of ECS',
  'response times of other callers, and over time: the API keeps none',
  'figures of earlier workers: each counts from its own start',
];

/** The lines of the report: what is known about errors, reconnects and response time, and what is not. */
export function reportLines(
  fleet: Fleet,
  apiTimes: CallTimes,
  log: TenantLog | undefined,
  nowMs: number,
): readonly string[] {
  const living = fleet.workers.filter(({ state }) => state !== 'DEAD');
  return [
    'Sockets to WhatsApp, since the start of each worker',
    ...columns(
      ['worker', 'runs for', 'connections', 'opened', 'failed to open', 'failed', 'suspended'],
      living.map(({ id, startedAt, load }) => [
        id,
        span(nowMs - Date.parse(startedAt)),
        load.connections,
        load.opened,
        load.openFailed,
        share(load.openFailed, load.opened + load.openFailed),
        span(load.suspendedMs),
      ]),
    ),
    '',
    'Reconnects: each socket beyond the first of a connection, moves between workers included',
    `at least ${Math.max(0, sum(living.map(({ load }) => load.opened)) - sum(living.map(({ load }) => load.connections)))}`,
    '',
    'Response time of the API, measured from here just now (GET /v1/admin/fleet)',
    `${counted(apiTimes.length, 'call')}: median ${at(apiTimes, 0.5)} ms, slowest ${at(apiTimes, 1)} ms`,
    '',
    ...(log === undefined ? ['Messages: not read, because no --tenant-key-file is given'] : tenantLines(log)),
    '',
    'Not known here',
    ...missing.map((line) => `- ${line}`),
  ];
}

function tenantLines({ events, rest, messages, reconnects, sentToDeliveredMs }: TenantLog): readonly string[] {
  const { sent, delivered, failed, expired, received } = messages;
  const ended = sent + failed + expired;
  return [
    `Messages of the tenant, by its event log: ${counted(events, 'event')}${rest === undefined ? '' : `; there are more, go on with --after ${rest}`}`,
    `sent ${sent}, delivered ${delivered}, failed ${failed}, expired ${expired}: ${share(failed + expired, ended)} not sent; received ${received}`,
    `connections that began to reconnect: ${counted(reconnects, 'time')}`,
    sentToDeliveredMs.length === 0
      ? 'from sent to delivered: no message was both'
      : `from sent to delivered: median ${at(sentToDeliveredMs, 0.5)} ms, slowest ${at(sentToDeliveredMs, 1)} ms`,
  ];
}

function share(part: number, whole: number): string {
  return whole === 0 ? '-' : `${((part / whole) * 100).toFixed(1)} %`;
}

/** A quantile of times, by nearest rank, in whole milliseconds. */
function at(times: readonly number[], quantile: number): number {
  const sorted = [...times].sort((left, right) => left - right);
  return Math.round(sorted[Math.max(0, Math.ceil(sorted.length * quantile) - 1)] ?? 0);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
