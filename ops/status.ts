import { connectionStatuses } from '../shared/connection/status.ts';
import type { Fleet, FleetWorker } from './readFleet.ts';
import type { State } from './readState.ts';
import { columns, counted, span } from './sentence.ts';

const CONNECTIONS_SHOWN = 10;

/** The state on one screen. Dead workers are only counted. */
export function statusLines({ url, readAtMs, fleet, connections, events, queues }: State): readonly string[] {
  const { mode, brake, leader, deputy, workers, shards, unowned, movesInFlight } = fleet;
  const living = workers.filter(({ state }) => state !== 'DEAD');
  const dead = workers.length - living.length;
  return [
    `Holdfast at ${url}`,
    '',
    `mode ${mode}   brake ${brake ? 'ON' : 'off'}   leader ${leader ?? 'none'}   deputy ${deputy ?? 'none'}`,
    `shards ${shards.length}: ${shards.length - unowned} owned, ${unowned} orphaned, ${movesInFlight.length} moving`,
    '',
    ...columns(
      ['worker', 'state', 'generation', 'zone', 'shards', 'connections', 'online', 'waiting', 'started', 'heartbeat'],
      living.map((worker) => [
        worker.id,
        stateOf(worker),
        worker.generation,
        worker.zone ?? '-',
        worker.shards,
        worker.load.connections,
        worker.load.online,
        worker.load.waiting,
        `${span(readAtMs - Date.parse(worker.startedAt))} ago`,
        `${span(readAtMs - Date.parse(worker.lastHeartbeatAt))} ago`,
      ]),
    ),
    ...(dead === 0 ? [] : [`and ${dead} that died within the last hour`]),
    '',
    connectionLine(connections),
    ...troubleLines(connections, readAtMs),
    '',
    ...(queues === undefined ? ['queues: not read, because no --stage is named'] : queueLines(queues)),
    ...(events === undefined
      ? []
      : [`events lay in their queue for ${span(events.lagMs)}, ${span(readAtMs - Date.parse(events.measuredAt))} ago`]),
  ];
}

/** The state of a worker, followed by whatever is worth a person's attention. */
function stateOf({ state, suspended, drainRequested, recycle, full }: FleetWorker): string {
  if (suspended) return `${state}, suspended`;
  if (state !== 'ALIVE') return state;
  if (drainRequested) return `${state}, to drain`;
  if (recycle !== 'none') return `${state}, to be replaced (${recycle})`;
  return full ? `${state}, full` : state;
}

function connectionLine(connections: State['connections']): string {
  const total = connections.length;
  const each = connectionStatuses.flatMap((status) => {
    const count = connections.filter((connection) => connection.status === status).length;
    return count === 0 ? [] : [`${count} ${status}`];
  });
  return `${counted(total, 'connection')} wanted online${total === 0 ? '' : `: ${each.join(', ')}`}`;
}

/** The connections that need somebody, the worst first. */
function troubleLines(connections: State['connections'], nowMs: number): readonly string[] {
  const troubled = connections.filter(({ attention }) => attention !== 'good');
  if (troubled.length === 0) return [];
  return [
    '',
    ...columns(
      ['connection', 'label', 'tenant', 'status', 'waiting', 'oldest', 'next try'],
      troubled
        .slice(0, CONNECTIONS_SHOWN)
        .map(({ id, label, tenant, tenantName, status, parkedMessages, oldestParkedAt, sendsPaused }) => [
          id,
          label ?? '-',
          tenantName ?? tenant,
          status,
          parkedMessages,
          oldestParkedAt === undefined ? '-' : span(nowMs - Date.parse(oldestParkedAt)),
          sendsPaused === undefined ? '-' : `${sendsPaused.until.slice(11, 19)} UTC`,
        ]),
    ),
    ...(troubled.length > CONNECTIONS_SHOWN ? [`and ${troubled.length - CONNECTIONS_SHOWN} more`] : []),
    'why: npm run ops -- health',
  ];
}

function queueLines(queues: NonNullable<State['queues']>): readonly string[] {
  return columns(
    ['queues', 'how many', 'waiting', 'in flight', 'dead letters'],
    queues.map(({ kind, queues: count, waiting, inFlight, dead }) => [kind, count, waiting, inFlight, dead]),
  );
}

/** The workers that may take over shards. */
export function ableWorkers({ workers }: Pick<Fleet, 'workers'>): readonly FleetWorker[] {
  return workers.filter(({ state, suspended, drainRequested }) => state === 'ALIVE' && !suspended && !drainRequested);
}
