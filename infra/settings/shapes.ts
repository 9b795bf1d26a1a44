/**
 * The size of a stage, in three steps. Each number is a default: a setting of the same name replaces it. A worker is
 * full with a thousand connections, which a process of that size was measured to hold (docs/performance.md), and the
 * service grows when its workers are four fifths full; the cost model counts workers in the same way (a test compares
 * them). None of it was measured on AWS yet.
 */
export const shapeNames = ['small', '10k', '100k'] as const;
export type ShapeName = (typeof shapeNames)[number];

interface Shape {
  readonly shardCount: number;
  readonly shardCap: number;
  readonly workers: number;
  readonly workersMost: number;
  readonly workerConnections: number;
  readonly workerCpu: number;
  readonly workerMemoryMib: number;
  readonly zones: number;
  readonly apiConcurrency: number;
  readonly ingestConcurrency: number;
  readonly deliverConcurrency: number;
  readonly mediaConcurrency: number;
  readonly streamTasks: number;
  readonly streamTasksMost: number;
  readonly apiRequestsPerSecond: number;
  readonly dashboards: 'ops' | 'all';
  readonly burnAlarms: 'fast' | 'all';
  readonly backupDays: number;
}

export const shapes: Readonly<Record<ShapeName, Shape>> = {
  small: {
    shardCount: 16,
    shardCap: 50,
    workers: 2,
    workersMost: 4,
    workerConnections: 400,
    workerCpu: 1_024,
    workerMemoryMib: 4_096,
    zones: 2,
    apiConcurrency: 20,
    ingestConcurrency: 5,
    deliverConcurrency: 10,
    mediaConcurrency: 5,
    streamTasks: 1,
    streamTasksMost: 2,
    apiRequestsPerSecond: 100,
    dashboards: 'ops',
    burnAlarms: 'fast',
    backupDays: 3,
  },
  '10k': {
    shardCount: 125,
    shardCap: 100,
    workers: 13,
    workersMost: 20,
    workerConnections: 1_000,
    workerCpu: 1_024,
    workerMemoryMib: 4_096,
    zones: 3,
    apiConcurrency: 100,
    ingestConcurrency: 40,
    deliverConcurrency: 100,
    mediaConcurrency: 20,
    streamTasks: 2,
    streamTasksMost: 6,
    apiRequestsPerSecond: 500,
    dashboards: 'all',
    burnAlarms: 'all',
    backupDays: 14,
  },
  '100k': {
    shardCount: 1_250,
    shardCap: 100,
    workers: 125,
    workersMost: 188,
    workerConnections: 1_000,
    workerCpu: 1_024,
    workerMemoryMib: 4_096,
    zones: 3,
    apiConcurrency: 250,
    ingestConcurrency: 150,
    deliverConcurrency: 400,
    mediaConcurrency: 80,
    streamTasks: 4,
    streamTasksMost: 24,
    apiRequestsPerSecond: 2_000,
    dashboards: 'all',
    burnAlarms: 'all',
    backupDays: 14,
  },
};
