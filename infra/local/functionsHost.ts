/**
 * Child process of the embedded stack: the Lambda functions, behind a gateway, event sources and schedules. The handlers
 * are the ones that run on AWS; loopback webhooks are allowed here and only here.
 */
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { isAdminPath, makeAdminHandler } from '../../functions/admin.ts';
import { makeApiHandler } from '../../functions/api.ts';
import { composeAdmin, composeApi } from '../../functions/apiComposition.ts';
import { composeDeliver } from '../../functions/deliverComposition.ts';
import { composeIngest } from '../../functions/ingestComposition.ts';
import { composeReconcile } from '../../functions/reconcileComposition.ts';
import { makePollingClient, makeQueueClient } from '../../shared/platform/aws.ts';
import { apiConfig, deliverConfig, ingestConfig } from '../../shared/platform/config.ts';
import { makeLogger } from '../../shared/platform/logger.ts';
import { deliveryQueueName, eventQueueName } from '../../shared/platform/queues.ts';
import { startEventSource } from './eventSource.ts';
import { makeGateway, type HttpHandler } from './gateway.ts';
import { startSchedule } from './schedule.ts';

const WAIT_SECONDS = 1;
const FUNCTION_TIMEOUT_MS = 30_000;
const RECONCILE_EVERY_MS = 60_000;

const { values } = parseArgs({ options: { port: { type: 'string' } } });
const config = apiConfig();
const logger = makeLogger('functions', config.logLevel);

const api = makeApiHandler(composeApi(config, { allowLoopback: true })) as unknown as HttpHandler;
const admin = makeAdminHandler(composeAdmin(config)) as unknown as HttpHandler;
const server = makeGateway((path) => (isAdminPath(path) ? admin : api));

const common = {
  polling: makePollingClient(config, 4, WAIT_SECONDS),
  acting: makeQueueClient(config),
  batchSize: 10,
  waitSeconds: WAIT_SECONDS,
  timeoutMs: FUNCTION_TIMEOUT_MS,
  logger,
};
const reconcile = composeReconcile(ingestConfig());
const eventQueue = eventQueueName(config.stage);
const deliveryQueue = deliveryQueueName(config.stage);
const sources = [
  startEventSource({
    ...common,
    queueName: eventQueue,
    queueUrl: `${config.queueUrlBase}${eventQueue}`,
    handler: composeIngest(ingestConfig()),
    concurrency: 2,
  }),
  startEventSource({
    ...common,
    queueName: deliveryQueue,
    queueUrl: `${config.queueUrlBase}${deliveryQueue}`,
    handler: composeDeliver(deliverConfig(), { allowLoopback: true }),
    concurrency: 2,
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
    server.close();
    server.closeIdleConnections();
    void Promise.all(sources.map((source) => source.stop())).then(() => process.exit(0));
  });
}
