/**
 * The worker process: `node worker/main.ts`, configured by the environment alone; on ECS its task is asked for. It
 * prints one line `{"ready":true,"workerId":"wrk_…","statusUrl":"http://…"}` when its lease exists, and then its log
 * and its metrics (EMF), one JSON object per line.
 *
 * | it ends because                                                  | exit code |
 * | ---------------------------------------------------------------- | --------- |
 * | it was asked to (SIGTERM, SIGINT, or by an operator) and drained | 0         |
 * | it was old, or its memory grew: it drained, to be recycled       | 0         |
 * | the configuration is wrong, or it broke                          | 1         |
 * | it was asked twice, or the drain took too long                   | 1         |
 * | its lease is dead: nothing more was written                      | 2         |
 */
import type { WorkerConfig } from '../shared/platform/config.ts';
import type { LogFields, Logger } from '../shared/platform/logger.ts';
import type { Metrics } from '../shared/platform/metrics.ts';
import type { DrainReason, RunningWorker, WorkerOptions } from './composition.ts';

const OLDEST_NODE = 24;
const METRICS_EVERY_MS = 60_000;
const DRAIN_MESSAGES: Readonly<Record<DrainReason, string>> = {
  operator: 'asked to drain by an operator',
  age: 'recycled because it is old',
  memory: 'recycled because its memory grew',
  memory_critical: 'drains because its memory is nearly gone',
};

/** Prints a sentence for a person, and ends. */
function refuse(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
  refuse(`The worker needs Node ${OLDEST_NODE} or newer; this is ${process.versions.node}.`);
}
// These modules are loaded only now, because an older Node could not even read them.
const [
  { readWorkerConfig },
  { makeLogger },
  { makeBreakers },
  { makeMetrics },
  { makePrometheusMetrics, toBoth },
  { withDeadline },
  { deadlines },
  { systemClock },
  { Scope },
  { startWorker },
  { startStatusServer },
  { makeVitalsSource },
  { makeWorkerWorld },
] = await Promise.all([
  import('./ecsTask.ts'),
  import('../shared/platform/logger.ts'),
  import('../shared/platform/breakers.ts'),
  import('../shared/platform/metrics.ts'),
  import('../shared/platform/prometheus.ts'),
  import('../shared/kernel/deadline.ts'),
  import('../shared/kernel/deadlines.ts'),
  import('../shared/kernel/clock.ts'),
  import('../shared/kernel/scope.ts'),
  import('./composition.ts'),
  import('./status/statusServer.ts'),
  import('./vitals/vitalsSource.ts'),
  import('./world.ts'),
]);

const config = await readConfig();
const logger = makeLogger('worker', config.logLevel);
process.on('unhandledRejection', (error) => end(1, 'unhandled rejection', error));
process.on('uncaughtException', (error) => end(1, 'uncaught exception', error));
await run(config, logger);

async function readConfig(): Promise<WorkerConfig> {
  try {
    return await readWorkerConfig();
  } catch (error) {
    return refuse((error as Error).message);
  }
}

/** The first reason to end wins: process.exit does not return. */
function end(code: number, message: string, error?: unknown): never {
  if (code === 0) logger.info(message);
  else logger.error(message, { code, error });
  process.exit(code);
}

/** The worker of this process, once it has a lease, and whether it drains. */
interface Life {
  worker: RunningWorker | undefined;
  isDraining: boolean;
}

async function run(config: WorkerConfig, logger: Logger): Promise<void> {
  const life: Life = { worker: undefined, isDraining: false };
  const forScrape = makePrometheusMetrics(config.stage);
  const emf = makeMetrics({
    stage: config.stage,
    processKind: 'worker',
    logger,
    clock: systemClock,
    write: (line) => process.stdout.write(`${line}\n`),
    flushEveryMs: METRICS_EVERY_MS,
  });
  const metrics = toBoth(emf, forScrape);
  const scope = new Scope('worker');
  process.on('exit', emf.flush);
  const breakers = makeBreakers({ clock: systemClock, logger, metrics });
  let statusUrl: string;
  try {
    const status = { notReadyBecause: () => notReadyBecause(life), breakers: breakers.states, metrics: forScrape };
    const server = await startStatusServer(config.status, status);
    scope.hold('socket', server.stop);
    statusUrl = server.url;
    const world = makeWorkerWorld(config, breakers, scope);
    const vitals = makeVitalsSource(scope, config.vitals.memoryLimitBytes);
    life.worker = await startWorker({ config, logger, metrics, scope, vitals, ...endsOf(life, metrics) }, world);
  } catch (error) {
    end(1, 'worker could not start', error);
  }
  drainOnSignals(life);
  process.stdout.write(`${JSON.stringify({ ready: true, workerId: life.worker.workerId, statusUrl })}\n`);
}

function notReadyBecause({ worker, isDraining }: Life): string | undefined {
  if (worker === undefined) return 'it has no lease yet';
  if (isDraining) return 'it drains';
  return worker.mayAct() ? undefined : 'its lease was not renewed in time';
}

function drain(life: Life, why: string, fields: LogFields): void {
  life.isDraining = true;
  logger.info(why, fields);
  life.worker?.drain().then(
    () => end(0, 'worker stopped'),
    (error: unknown) => end(1, 'drain did not finish', error),
  );
}

/** What the worker itself finds out about its end. */
function endsOf(
  life: Life,
  metrics: Pick<Metrics, 'count'>,
): Pick<WorkerOptions, 'onFenced' | 'onBroken' | 'onDrainRequested' | 'onUnwell'> {
  return {
    onFenced: () => {
      // The worker closes what it can in this time; its sockets end with the process in any case.
      void withDeadline('closing sockets', deadlines.fencedClose.ms, async () => life.worker?.closeSockets()).then(
        () => end(2, 'fenced: another worker carries on'),
        (error: unknown) => end(2, 'fenced: another worker carries on', error),
      );
    },
    onDrainRequested: (reason) => {
      // Before the worker has its lease there is nothing to drain; the part that asks will ask again.
      if (life.isDraining || life.worker === undefined) return;
      if (reason !== 'operator') metrics.count('WorkerRecycled', { reason });
      drain(life, DRAIN_MESSAGES[reason], {});
    },
    onUnwell: (symptom) => {
      if (!life.isDraining) drain(life, 'drains: new sockets do not help its connections', { symptom });
    },
    onBroken: (error) => end(1, 'worker broke', error),
  };
}

function drainOnSignals(life: Life): void {
  let signalled = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (signalled) end(1, 'asked to stop twice');
    signalled = true;
    // A drain that an operator began goes on; ECS sends its signal when it stops the task.
    if (!life.isDraining) drain(life, 'asked to stop', { signal });
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}
