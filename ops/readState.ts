import { makeQueueClient } from '../shared/platform/aws.ts';
import { inTurns } from './inTurns.ts';
import { readQueueDepths, type QueueDepth } from './queueDepths.ts';
import { readFleet, type Fleet } from './readFleet.ts';
import { readHealth, type ConnectionHealth, type EventLag } from './readHealth.ts';
import type { Target } from './target.ts';

/** Everything that `status` and `health` look at, read once. */
export interface State {
  readonly url: string;
  readonly readAtMs: number;
  readonly fleet: Fleet;
  /** Every connection that is wanted online, worst first. */
  readonly connections: readonly ConnectionHealth[];
  /** How far behind ingest is; undefined when no event has come within the hour. */
  readonly events: EventLag | undefined;
  /** Depths of the queues; undefined when no stage is named, as the API does not show queues. */
  readonly queues: readonly QueueDepth[] | undefined;
}

/** The number of shards that are read at once. */
const AT_ONCE = 8;

/** Reads the state of a Holdfast. Throws Failed when the API does not answer; rejects when a store does not. */
export async function readState(target: Target, nowMs: () => number): Promise<State> {
  const fleet = await readFleet(target);
  const pages = await inTurns(
    fleet.shards.map(({ shard }) => shard),
    AT_ONCE,
    (shard) => readHealth(target, shard),
  );
  return {
    url: target.api().url,
    readAtMs: nowMs(),
    fleet,
    connections: worstFirst(pages.flatMap(({ connections }) => connections)),
    events: pages.at(-1)?.events,
    queues: target.hasStores ? await readQueues(target, fleet.shards.length) : undefined,
  };
}

async function readQueues(target: Target, shardCount: number): Promise<readonly QueueDepth[]> {
  const config = target.stores();
  const { stage, queueUrlBase, eventQueues } = config;
  const queue = makeQueueClient(config);
  try {
    return await readQueueDepths({ queue, stage, queueUrlBase }, shardCount, eventQueues);
  } finally {
    queue.destroy();
  }
}

function worstFirst(all: readonly ConnectionHealth[]): readonly ConnectionHealth[] {
  const order = ['bad', 'look', 'good'];
  return all.toSorted((left, right) => order.indexOf(left.attention) - order.indexOf(right.attention));
}
