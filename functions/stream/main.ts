/**
 * The process of the stream service: `node functions/stream/main.ts`, configured by the environment alone. It prints one line
 * `{"ready":true,"port":8080}`, and then its log and its metrics (EMF), one JSON object per line.
 *
 * | it ends because                            | exit code |
 * | ------------------------------------------ | --------- |
 * | it was asked to (SIGTERM, SIGINT), drained | 0         |
 * | the configuration is wrong, or it broke    | 1         |
 */
import { systemClock } from '../../shared/kernel/clock.ts';
import { streamConfig, type StreamConfig } from '../../shared/platform/config.ts';
import { makeLogger } from '../../shared/platform/logger.ts';
import { composeStreams } from './composition.ts';
import { startStreamServer } from './streamServer.ts';

const config = readConfig();
const logger = makeLogger('stream', config.logLevel).child({ stage: config.stage });
process.on('unhandledRejection', (error) => end('unhandled rejection', error));
process.on('uncaughtException', (error) => end('uncaught exception', error));
const { port, drain } = await startStreamServer(composeStreams(config), systemClock, config.at);
process.stdout.write(`${JSON.stringify({ ready: true, port })}\n`);

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    logger.info('stream service drains', { signal });
    void drain().then(() => process.exit(0));
  });
}

function readConfig(): StreamConfig {
  try {
    return streamConfig();
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return process.exit(1);
  }
}

function end(message: string, error: unknown): never {
  logger.error(message, { error });
  process.exit(1);
}
