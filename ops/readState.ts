import { ConnectionStore } from '../shared/connection/connectionStore.ts';
import { connectionStatuses, type ConnectionStatus } from '../shared/connection/status.ts';
import { makeDocumentClient, makeQueueClient } from '../shared/platform/aws.ts';
import { inTurns } from './inTurns.ts';
import { readQueueDepths, type QueueDepth } from './queueDepths.ts';
import { readFleet, type Fleet } from './readFleet.ts';
import type { Target } from './target.ts';

export type StatusCounts = ReadonlyMap<ConnectionStatus, number>;

/** What `status` and `health` look at, read once. */
export interface State {
  readonly url: string;
  readonly readAtMs: number;
  readonly fleet: Fleet;
  /** Undefined when no stage is named: the API shows operators neither queues nor connections. */
  readonly stores: { readonly queues: readonly QueueDepth[]; readonly connections: StatusCounts } | undefined;
}

/** Shards at once. */
const AT_ONCE = 8;

/** Reads the state of a Holdfast. Throws Failed when the API does not answer; rejects when a store does not. */
export async function readState(target: Target, nowMs: () => number): Promise<State> {
  const fleet = await readFleet(target);
  const shards = fleet.shards.map(({ shard }) => shard);
  return {
    url: target.api().url,
    readAtMs: nowMs(),
    fleet,
    stores: target.hasStores ? await readStores(target, shards) : undefined,
  };
}

async function readStores(target: Target, shards: readonly number[]): Promise<State['stores']> {
  const config = target.stores();
  const { stage, queueUrlBase } = config;
  const queue = makeQueueClient(config);
  const table = makeDocumentClient(config);
  const store = new ConnectionStore({ table, stage });
  try {
    const queues = await readQueueDepths({ queue, stage, queueUrlBase }, shards.length);
    const lists = await inTurns(shards, AT_ONCE, (shard) => store.listOfShard(shard));
    return { queues, connections: countStatuses(lists.flat().map(({ status }) => status)) };
  } finally {
    queue.destroy();
    table.destroy();
  }
}

/** Only those that occur, in the order in which they are declared. */
function countStatuses(statuses: readonly ConnectionStatus[]): StatusCounts {
  return new Map(
    connectionStatuses
      .map((status) => [status, statuses.filter((found) => found === status).length] as const)
      .filter(([, count]) => count > 0),
  );
}
