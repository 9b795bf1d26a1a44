import type { Figures } from './assumptions.ts';

/** How large a stage must be for its connections. */
export interface Shape {
  readonly connections: number;
  readonly workers: number;
  /** Connections that one worker may hold, and what decides that. */
  readonly perWorker: number;
  readonly limit: 'memory' | 'connectionsPerWorker';
  /** One command queue each. */
  readonly shards: number;
}

const MB_PER_GB = 1_024;

/** Pure: from connections and figures to workers and shards. */
export function shapeFor(connections: number, figures: Figures): Shape {
  const { ramMbPerConnection, workerMb, memoryFill, workerGb, connectionsPerWorker, leastWorkers } = figures;
  const room = workerGb * MB_PER_GB * memoryFill - workerMb;
  const byMemory = Math.max(1, Math.floor(room / ramMbPerConnection));
  const perWorker = Math.min(byMemory, connectionsPerWorker);
  return {
    connections,
    workers: Math.max(leastWorkers, Math.ceil(connections / perWorker)),
    perWorker,
    limit: byMemory < connectionsPerWorker ? 'memory' : 'connectionsPerWorker',
    shards: Math.max(figures.leastShards, Math.ceil(connections / (figures.shardCap * figures.shardFill))),
  };
}
