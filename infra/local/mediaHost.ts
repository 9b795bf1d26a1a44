/**
 * Child process of the embedded stack: the media function behind its event source. It has a process of its own, as Lambda gives it, and
 * the other processes of the machine come before it: a large file takes what they leave of the cores.
 */
import { composeMedia } from '../../functions/media/composition.ts';
import { makePollingClient, makeQueueClient } from '../../shared/platform/aws.ts';
import { apiConfig, mediaConfig } from '../../shared/platform/config.ts';
import { makeLogger } from '../../shared/platform/logger.ts';
import { mediaQueueName, mediaTimes } from '../../shared/platform/queues.ts';
import { asCaller } from './callers.ts';
import { comeLast } from './comeLast.ts';
import { startEventSource } from './eventSource.ts';

/** How long a poll waits, in seconds: what stops the stack waits for the last one. */
const WAIT_SECONDS = 2;
/** The most files at once, each an invocation of its own: more are no faster on a few cores, and hold up the texts that come meanwhile. */
const AT_ONCE = 3;

comeLast();
const config = asCaller(apiConfig(), 'media');
const queueName = mediaQueueName(config.stage);
const source = startEventSource({
  polling: makePollingClient(config, 1, WAIT_SECONDS),
  acting: makeQueueClient(config),
  queueName,
  queueUrl: `${config.queueUrlBase}${queueName}`,
  concurrency: AT_ONCE,
  gatherMs: 0,
  deleteLingerMs: 0,
  batchSize: 1,
  waitSeconds: WAIT_SECONDS,
  timeoutMs: mediaTimes.timeoutSeconds * 1_000,
  logger: makeLogger('media', config.logLevel),
  handler: composeMedia(asCaller(mediaConfig(), 'media'), { allowLoopback: true }),
});
process.stdout.write(`${JSON.stringify({ ready: true })}\n`);

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => void source.stop().then(() => process.exit(0)));
}
