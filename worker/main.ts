/**
 * The worker process: `node worker/main.ts`, configured by the environment alone. Prints one line
 * `{"ready":true,"workerId":"wrk_…"}` when its lease exists, and then its log, one JSON object per line.
 *
 * | it ends because                              | exit code |
 * | -------------------------------------------- | --------- |
 * | it was asked to (SIGTERM, SIGINT) and drained | 0         |
 * | the configuration is wrong, or it broke       | 1         |
 * | it was asked twice, or the drain took too long | 1        |
 * | its lease is dead: nothing more was written   | 2         |
 */
import type { WorkerConfig } from '../shared/platform/config.ts';
import type { Logger } from '../shared/platform/logger.ts';
import type { RunningWorker } from './composition.ts';

const OLDEST_NODE = 24;
/** A fenced worker closes what it can in this time; its sockets end with the process in any case. */
const FENCE_DEADLINE_MS = 5_000;

/** Prints a sentence for a person, and ends. */
function refuse(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
  refuse(`The worker needs Node ${OLDEST_NODE} or newer; this is ${process.versions.node}.`);
}
// Loaded only now: an older Node could not even read these.
const [{ workerConfig }, { makeLogger }, { withDeadline }, { startWorker }] = await Promise.all([
  import('../shared/platform/config.ts'),
  import('../shared/platform/logger.ts'),
  import('../shared/kernel/deadline.ts'),
  import('./composition.ts'),
]);

const config = readConfig();
const logger = makeLogger('worker', config.logLevel);
process.on('unhandledRejection', (error) => end(1, 'unhandled rejection', error));
process.on('uncaughtException', (error) => end(1, 'uncaught exception', error));
await run(config, logger);

function readConfig(): WorkerConfig {
  try {
    return workerConfig();
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

async function run(config: WorkerConfig, logger: Logger): Promise<void> {
  let worker: RunningWorker | undefined;
  const onFenced = (): void => {
    void withDeadline('closing sockets', FENCE_DEADLINE_MS, async () => worker?.closeSockets()).then(
      () => end(2, 'fenced: another worker carries on'),
      (error: unknown) => end(2, 'fenced: another worker carries on', error),
    );
  };
  try {
    worker = await startWorker({ config, logger, onFenced, onBroken: (error) => end(1, 'worker broke', error) });
  } catch (error) {
    end(1, 'worker could not start', error);
  }
  const { workerId, drain } = worker;
  process.stdout.write(`${JSON.stringify({ ready: true, workerId })}\n`);
  let draining = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (draining) end(1, 'asked to stop twice');
    draining = true;
    logger.info('asked to stop', { signal });
    drain().then(
      () => end(0, 'worker stopped'),
      (error: unknown) => end(1, 'drain did not finish', error),
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}
