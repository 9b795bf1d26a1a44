import type { WorkerLoad } from '../../shared/fleet/fleetView.ts';
import type { Clock } from '../../shared/kernel/clock.ts';
import type { Scope } from '../../shared/kernel/scope.ts';
import type { VitalsConfig } from '../../shared/platform/vitalsConfig.ts';
import type { Surroundings } from '../../shared/platform/surroundings.ts';
import { judgeVitals, noComplaints, type VitalMemory, type Verdict } from './vitalSigns.ts';
import type { VitalsSource } from './vitalsSource.ts';

export interface VitalsWatchDependencies extends Pick<Surroundings, 'logger' | 'metrics'> {
  readonly config: VitalsConfig;
  readonly source: VitalsSource;
  /** The scope of the worker: the resources in it are counted, and its close ends the watch. */
  readonly scope: Scope;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly onMayOpen: (mayOpen: boolean) => void;
  /** Called when the worker must go at once, possibly again and again. */
  readonly onCritical: () => void;
}

const well: Verdict = { full: false, recycle: 'none', drainsNow: false, mayOpen: true };

/** Watches this worker's own memory, event loop, age and resources, again and again. */
export class VitalsWatch {
  readonly #dependencies: VitalsWatchDependencies;
  readonly #startedMs: number;
  #memory: VitalMemory = noComplaints;
  #verdict = well;
  #loopDelayMs = 0;

  constructor(dependencies: VitalsWatchDependencies) {
    const { scope, config, clock } = dependencies;
    this.#dependencies = dependencies;
    this.#startedMs = clock.monotonicMs();
    scope.interval(config.everyMs, () => this.#look());
  }

  /** The part of the next heartbeat's load that this watch knows. */
  get load(): Pick<WorkerLoad, 'full' | 'recycle'> {
    const { full, recycle } = this.#verdict;
    return { full, recycle };
  }

  /** How late the event loop was at the last sample, in milliseconds. */
  get loopDelayMs(): number {
    return this.#loopDelayMs;
  }

  #look(): void {
    const { source, config, clock, onMayOpen, onCritical } = this.#dependencies;
    const { memoryBytes, loopDelayMs } = source.read();
    const ageMs = clock.monotonicMs() - this.#startedMs;
    const memoryShare = memoryBytes / source.memoryLimitBytes;
    const { memory, verdict } = judgeVitals(this.#memory, { memoryShare, loopDelayMs, ageMs }, config);
    this.#tell(verdict, memoryShare, loopDelayMs);
    this.#memory = memory;
    this.#loopDelayMs = loopDelayMs;
    this.#verdict = verdict;
    onMayOpen(verdict.mayOpen);
    if (verdict.drainsNow) onCritical();
  }

  #tell(now: Verdict, memoryShare: number, loopDelayMs: number): void {
    const { metrics, logger, scope } = this.#dependencies;
    metrics.gauge('WorkerMemoryShare', memoryShare, {});
    metrics.measure('EventLoopDelay', loopDelayMs, {});
    const { timer, listener, socket, stream, process, scope: scopes, other } = scope.counts();
    const counts = { timer, listener, socket, other: stream + process + scopes + other } as const;
    for (const kind of ['timer', 'listener', 'socket', 'other'] as const) {
      metrics.gauge('ScopeResources', counts[kind], { kind });
    }
    const before = this.#verdict;
    const fields = { memoryPercent: Math.round(memoryShare * 100), loopDelayMs: Math.round(loopDelayMs) };
    if (now.full !== before.full) logger.warn(now.full ? 'takes no more shards' : 'takes shards again', fields);
    if (now.mayOpen !== before.mayOpen) logger.warn(now.mayOpen ? 'opens sockets again' : 'opens no sockets', fields);
    if (now.recycle !== before.recycle) logger.info('recycle reason changed', { ...fields, reason: now.recycle });
  }
}
