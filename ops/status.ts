import type { Fleet, FleetWorker } from './readFleet.ts';
import type { State } from './readState.ts';
import { columns, counted, span } from './sentence.ts';

/** One screen of what there is. Dead workers are only counted. */
export function statusLines({ url, readAtMs, fleet, stores }: State): readonly string[] {
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
    ...(stores === undefined
      ? ['connections by status, queues: not read, because no --stage is named']
      : [connectionLine(stores.connections), '', ...queueLines(stores.queues)]),
  ];
}

/** What is worth a person's attention comes after the state. */
function stateOf({ state, suspended, drainRequested, recycle, full }: FleetWorker): string {
  if (suspended) return `${state}, suspended`;
  if (state !== 'ALIVE') return state;
  if (drainRequested) return `${state}, to drain`;
  if (recycle !== 'none') return `${state}, to be replaced (${recycle})`;
  return full ? `${state}, full` : state;
}

function connectionLine(connections: NonNullable<State['stores']>['connections']): string {
  const total = [...connections.values()].reduce((sum, count) => sum + count, 0);
  const each = [...connections].map(([status, count]) => `${count} ${status}`);
  return `${counted(total, 'connection')} wanted online${total === 0 ? '' : `: ${each.join(', ')}`}`;
}

function queueLines(queues: NonNullable<State['stores']>['queues']): readonly string[] {
  return columns(
    ['queues', 'how many', 'waiting', 'in flight', 'dead letters'],
    queues.map(({ kind, queues: count, waiting, inFlight, dead }) => [kind, count, waiting, inFlight, dead]),
  );
}

/** Workers that may take work. */
export function ableWorkers({ workers }: Pick<Fleet, 'workers'>): readonly FleetWorker[] {
  return workers.filter(({ state, suspended, drainRequested }) => state === 'ALIVE' && !suspended && !drainRequested);
}
