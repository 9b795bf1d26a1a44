/** A worker in a process of its own, of which everything can be released at once, and what is left then. */
import { systemClock } from '../../shared/kernel/clock.ts';
import { Scope, type ResourceCounts } from '../../shared/kernel/scope.ts';
import { workerConfig } from '../../shared/platform/config.ts';
import { silentLogger, type LogFields, type Logger } from '../../shared/platform/logger.ts';
import { makeBreakers } from '../../shared/platform/breakers.ts';
import { silentMetrics } from '../../shared/platform/metrics.ts';
import { startWorker, type RunningWorker } from '../../worker/composition.ts';
import { makeVitalsSource } from '../../worker/vitals/vitalsSource.ts';
import { makeWorkerWorld } from '../../worker/world.ts';
import { answerParent } from '../bench/childTalk.ts';

/** What keeps this process busy. */
export interface Leftovers {
  /** Timers, network connections and calls that are out, by the platform's names. */
  readonly active: readonly string[];
  /** On the process itself. */
  readonly listeners: number;
  readonly held: ResourceCounts;
}

export type EmergencyAnswers = typeof answers;

const scope = new Scope('worker');
const states = new Map<string, string>();
const said: string[] = [];
let worker: RunningWorker | undefined;

/** Remembers in which state each connection is. */
function remembering(bound: LogFields): Logger {
  const say = (message: string, fields: LogFields = {}): void => {
    said.push(message);
    if (message === 'connection changed state') states.set(String(bound['connectionId']), String(fields['to']));
  };
  return {
    debug: () => undefined,
    info: say,
    warn: say,
    error: say,
    child: (fields) => remembering({ ...bound, ...fields }),
  };
}

const answers = {
  start: async (environment: Readonly<Record<string, string>>): Promise<void> => {
    const config = workerConfig(environment);
    worker = await startWorker(
      {
        config,
        logger: remembering({}),
        metrics: silentMetrics,
        scope,
        vitals: makeVitalsSource(scope, undefined),
        onFenced: () => said.push('fenced'),
        onBroken: (error) => said.push(`broken: ${String(error)}`),
        onDrainRequested: () => undefined,
        onUnwell: () => undefined,
      },
      makeWorkerWorld(
        config,
        makeBreakers({ clock: systemClock, logger: silentLogger, metrics: silentMetrics }),
        scope,
      ),
    );
  },
  /** Begins a drain and does not wait for its end. */
  drain: (): void => {
    worker?.drain().catch(() => undefined);
  },
  states: (): ReadonlyMap<string, string> => states,
  said: (): readonly string[] => said,
  /** Releases everything, in the middle of whatever goes on. */
  release: async (): Promise<void> => scope.close(),
  leftovers: (): Leftovers => ({
    active: process.getActiveResourcesInfo().toSorted(),
    listeners: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0),
    held: scope.counts(),
  }),
};
answerParent(answers);
