import type { Figures } from './assumptions.ts';

/** The size that a stage needs for its connections. */
export interface Shape {
  readonly connections: number;
  readonly workers: number;
  /** The number of connections that one worker may hold, and what decides it. */
  readonly perWorker: number;
  readonly limit: 'memory' | 'connectionsPerWorker';
  /** The number of shards, with one command queue each. */
  readonly shards: number;
}

const MB_PER_GB = 1_024;

/** The size from connections and figures. The function is pure. */
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
