/**
 * Child process of the embedded stack: the Lambda functions, behind a gateway, event sources and schedules. The
 * handlers are the same that run on AWS; webhooks to loopback are allowed here and only here.
 */
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { isAdminPath, makeAdminHandler } from '../../functions/admin/handler.ts';
import { makeApiHandler } from '../../functions/api/handler.ts';
import { composeAdmin } from '../../functions/admin/composition.ts';
import { composeApi } from '../../functions/api/composition.ts';
import { composeDeliver } from '../../functions/deliver/composition.ts';
import { composeIngest } from '../../functions/ingest/composition.ts';
import { composeReconcile } from '../../functions/reconcile/composition.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import { makePollingClient, makeQueueClient } from '../../shared/platform/aws.ts';
import { apiConfig, deliverConfig, ingestConfig } from '../../shared/platform/config.ts';
import { makeLogger } from '../../shared/platform/logger.ts';
import { deliveryQueueName, eventQueueNames, functionTimes } from '../../shared/platform/queues.ts';
import { asCaller } from './callers.ts';
import { startEventSource } from './eventSource.ts';
import { makeGateway } from './gateway.ts';
import { noteAnswer, watchQueues } from './ops/awsStandIns.ts';
import { readEarlierFigures } from './ops/earlierFigures.ts';
import { samplesOf } from './ops/emfLine.ts';
import { MetricStore } from './ops/metricStore.ts';
import { makeOpsRoom } from './ops/opsRoom.ts';
import { startSchedule } from './schedule.ts';

const WAIT_SECONDS = 1;
const BATCHES_AT_ONCE = 2;
/**
 * How long facts are gathered for one invocation, in milliseconds. At 100 facts a second this makes two of each batch of
 * one, which saves a quarter of the CPU of all processes and costs half of this time in the median. Deliveries come from
 * ingest in batches, and are not gathered a second time.
 */
const GATHER_FACTS_MS = 15;
const RECONCILE_EVERY_MS = 60_000;

const { values } = parseArgs({ options: { port: { type: 'string' }, 'previous-logs': { type: 'string' } } });
const config = apiConfig();
const logger = makeLogger('functions', config.logLevel);

const api = makeApiHandler(composeApi(asCaller(config, 'api'), { allowLoopback: true }));
const adminParts = composeAdmin(asCaller(config, 'admin'));
const admin = makeAdminHandler(adminParts);
const store = new MetricStore(systemClock.nowMs);
const beside = makeOpsRoom({
  stage: config.stage,
  store,
  nowMs: systemClock.nowMs,
  authenticate: adminParts.authenticate,
});
const server = makeGateway((path) => (isAdminPath(path) ? admin : api), {
  beside,
  onAnswer: (answer) => noteAnswer(store, answer, systemClock.nowMs()),
  onSurprise: (error) => logger.error('request could not be answered', { error }),
});
process.on('message', ({ metrics = [] }: { readonly metrics?: readonly string[] }) => {
  for (const sample of metrics.flatMap(samplesOf)) store.add(sample);
});
const previousLogs = values['previous-logs'];
if (previousLogs !== undefined) {
  readEarlierFigures(previousLogs, store, systemClock.nowMs()).catch((error: unknown) =>
    logger.warn('figures of the last run could not be read', { error }),
  );
}
const stopWatching = watchQueues({
  queue: makeQueueClient(asCaller(config, 'stack')),
  stage: config.stage,
  queueUrlBase: config.queueUrlBase,
  eventQueues: config.eventQueues,
  store,
  logger,
});

/** An event source acts in the name of its function. */
const sourceOf = (caller: 'ingest' | 'deliver', queueName: string) => ({
  polling: makePollingClient(asCaller(config, caller), 1, WAIT_SECONDS),
  acting: makeQueueClient(asCaller(config, caller)),
  queueName,
  queueUrl: `${config.queueUrlBase}${queueName}`,
  concurrency: BATCHES_AT_ONCE,
  gatherMs: caller === 'ingest' ? GATHER_FACTS_MS : 0,
  batchSize: 10,
  waitSeconds: WAIT_SECONDS,
  timeoutMs: functionTimes.timeoutSeconds * 1_000,
  logger,
});
const reconcile = composeReconcile(asCaller(ingestConfig(), 'reconcile'));
const ingest = composeIngest(asCaller(ingestConfig(), 'ingest'));
const sources = [
  ...eventQueueNames(config.stage, config.eventQueues).map((name) =>
    startEventSource({ ...sourceOf('ingest', name), handler: ingest }),
  ),
  startEventSource({
    ...sourceOf('deliver', deliveryQueueName(config.stage)),
    handler: composeDeliver(asCaller(deliverConfig(), 'deliver'), { allowLoopback: true }),
  }),
  startSchedule({
    name: 'reconcile',
    everyMs: RECONCILE_EVERY_MS,
    handler: () => reconcile(undefined),
    logger,
  }),
];

server.once('error', (error: NodeJS.ErrnoException) => {
  const taken = error.code === 'EADDRINUSE';
  process.stderr.write(
    taken ? `Port ${values.port} is taken. Choose another: npm start -- --port 8090\n` : `${error.message}\n`,
  );
  process.exit(1);
});
server.listen(Number(values.port ?? 0), '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ ready: true, url: `http://127.0.0.1:${port}` })}\n`);
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    stopWatching();
    server.close();
    server.closeIdleConnections();
    void Promise.all(sources.map((source) => source.stop())).then(() => process.exit(0));
  });
}
