import { totalmem } from 'node:os';
import type { Scope } from '../../shared/kernel/scope.ts';
import { measureLoopDelay } from './loopDelay.ts';

/** The source of a worker's figures about itself. */
export interface VitalsSource {
  readonly memoryLimitBytes: number;
  /** Reads the resident memory now, and how late the event loop was since the last read (99th percentile). */
  readonly read: () => { readonly memoryBytes: number; readonly loopDelayMs: number };
}

/**
 * The figures of this process.
 * @param limitBytes the limit by the settings, which counts before the platform's
 */
export function makeVitalsSource(scope: Scope, limitBytes: number | undefined): VitalsSource {
  const takeLoopDelay = measureLoopDelay(scope);
  return {
    memoryLimitBytes: limitBytes ?? findMemoryLimit(process.constrainedMemory(), totalmem()),
    read: () => ({ memoryBytes: process.memoryUsage.rss(), loopDelayMs: takeLoopDelay() }),
  };
}

/**
 * The memory that this process may use, in bytes: the container's limit (cgroup v2 or v1), or the machine's memory
 * where there is none.
 * @param constrained the limit as Node reports it: 0 when it does not know, and a huge number when there is no limit
 */
export function findMemoryLimit(constrained: number, total: number): number {
  return constrained > 0 ? Math.min(constrained, total) : total;
}
