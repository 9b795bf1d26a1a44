/**
 * What a stage is made of at three sizes. Each number is a default: a setting of the same name replaces it.
 * Planned and not yet measured on AWS: 15 MB of memory to a connection, workers and shards three quarters to four fifths full.
 */
export const shapeNames = ['small', '10k', '100k'] as const;
export type ShapeName = (typeof shapeNames)[number];

interface Shape {
  readonly shardCount: number;
  readonly shardCap: number;
  readonly workers: number;
  readonly workerCpu: number;
  readonly workerMemoryMib: number;
  readonly zones: number;
  readonly apiConcurrency: number;
  readonly ingestConcurrency: number;
  readonly deliverConcurrency: number;
  readonly apiRequestsPerSecond: number;
  readonly dashboards: 'ops' | 'all';
}

export const shapes: Readonly<Record<ShapeName, Shape>> = {
  small: {
    shardCount: 16,
    shardCap: 50,
    workers: 2,
    workerCpu: 1_024,
    workerMemoryMib: 4_096,
    zones: 2,
    apiConcurrency: 20,
    ingestConcurrency: 5,
    deliverConcurrency: 10,
    apiRequestsPerSecond: 100,
    dashboards: 'ops',
  },
  '10k': {
    shardCount: 125,
    shardCap: 100,
    workers: 26,
    workerCpu: 1_024,
    workerMemoryMib: 8_192,
    zones: 3,
    apiConcurrency: 100,
    ingestConcurrency: 40,
    deliverConcurrency: 100,
    apiRequestsPerSecond: 500,
    dashboards: 'all',
  },
  '100k': {
    shardCount: 1_250,
    shardCap: 100,
    workers: 258,
    workerCpu: 1_024,
    workerMemoryMib: 8_192,
    zones: 3,
    apiConcurrency: 250,
    ingestConcurrency: 150,
    deliverConcurrency: 400,
    apiRequestsPerSecond: 2_000,
    dashboards: 'all',
  },
};
