/**
 * Child process of the embedded stack: the Lambda functions, behind a gateway, event sources and schedules. The
 * handlers are the same that run on AWS; webhooks to loopback are allowed here and only here. There may be several of
 * these processes: each answers the API, and each queue and schedule is in the hands of one (`--place`, `--of`). The media
 * function has a process of its own (`mediaHost.ts`), for which one of these looks out.
 */
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { isAdminPath, makeAdminHandler } from '../../functions/admin/handler.ts';
import { makeApiHandler } from '../../functions/api/handler.ts';
import { composeAdmin } from '../../functions/admin/composition.ts';
import { composeApi } from '../../functions/api/composition.ts';
import { composeArchive } from '../../functions/archive/composition.ts';
import { composeDeliver } from '../../functions/deliver/composition.ts';
import { composeDispatch } from '../../functions/dispatch/composition.ts';
import { composeIngest } from '../../functions/ingest/composition.ts';
import { composeReconcile } from '../../functions/reconcile/composition.ts';
import { readPageFiles } from '../../functions/pairingPage/pageFiles.ts';
import { composeStreams } from '../../functions/stream/composition.ts';
import { answerStream } from '../../functions/stream/nodeStreams.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import { makePollingClient, makeQueueClient } from '../../shared/platform/aws.ts';
import { apiConfig, archiveConfig, deliverConfig, ingestConfig } from '../../shared/platform/config.ts';
import { makeLogger } from '../../shared/platform/logger.ts';
import {
  deliveryQueueName,
  eventQueueNames,
  functionTimes,
  mediaQueueName,
  slowDeliveryQueueName,
} from '../../shared/platform/queues.ts';
import { standardOutput } from '../../shared/platform/standardOutput.ts';
import { asCaller } from './callers.ts';
import { startEventSource } from './eventSource.ts';
import { FIRST_FILE_WAIT_SECONDS, lookForFirstFile } from './firstFile.ts';
import { makeGateway } from './gateway.ts';
import { noteAnswer, watchQueues } from './ops/awsStandIns.ts';
import { makeFiguresQuestion } from './ops/figuresDesk.ts';
import { makeOpsRoom } from './ops/opsRoom.ts';
import { SampleLines } from './ops/sampleLines.ts';
import { makePairingPage } from './pairingPage.ts';
import { makeSandboxDesk } from './sandboxDesk.ts';
import { startSchedule } from './schedule.ts';

const WAIT_SECONDS = 1;
/** The most invocations at once: a receiver of webhooks that is slow holds one for up to ten seconds. */
const AT_ONCE = { ingest: 2, deliver: 8 } as const;
/** The same for deliveries to endpoints that take their time. */
const SLOW_AT_ONCE = 2;
/**
 * How long facts are gathered for one invocation, in milliseconds. At 100 facts a second this makes three of each batch
 * of one, so that a message received takes four calls to the stores at most, and costs half of this time in the median.
 * Deliveries come from ingest in batches, and are not gathered a second time.
 */
const GATHER_FACTS_MS = 28;
/** How long the deletes of deliveries that are done wait for those of the next invocations, in milliseconds. */
const DELETE_LINGER_MS = 100;
const RECONCILE_EVERY_MS = 60_000;
/** How often messages that are due are looked for, in milliseconds: on AWS each minute, here a caller watches. */
const DISPATCH_EVERY_MS = 2_000;
/** How often exports and erasures are looked for, in milliseconds: on AWS each minute. */
const ARCHIVE_EVERY_MS = 3_000;

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    place: { type: 'string', default: '0' },
    of: { type: 'string', default: '1' },
    /** The address of the simulator's phones; left out where there is none. */
    phones: { type: 'string' },
  },
});
const [place, of] = [Number(values.place), Number(values.of)];
const config = apiConfig();
const logger = makeLogger('functions', config.logLevel);

const { phones: controlUrl } = values;
const pageFiles = readPageFiles(await makePairingPage(controlUrl !== undefined));
const apiOptions = { allowLoopback: true, streamUrl: '', page: () => pageFiles } as const;
const apiParts = composeApi(asCaller(config, 'api'), apiOptions);
const api = makeApiHandler(apiParts);
const sandbox =
  controlUrl === undefined ? undefined : makeSandboxDesk({ ...apiParts, controlUrl, nowMs: systemClock.nowMs });
const adminParts = composeAdmin(asCaller(config, 'admin'));
const admin = makeAdminHandler(adminParts);
const samples = new SampleLines(systemClock, (line) => standardOutput.write(line));
process.on('exit', () => samples.flush());
const streams = composeStreams(asCaller(config, 'stream'));
const opsRoom = makeOpsRoom({
  figures: makeFiguresQuestion(),
  nowMs: systemClock.nowMs,
  authenticate: adminParts.authenticate,
});
const server = makeGateway((path) => (isAdminPath(path) ? admin : api), {
  beside: (request, response) =>
    answerStream(streams, request, response) || opsRoom(request, response) || sandbox?.(request, response) === true,
  onAnswer: (answer) => noteAnswer(samples, answer, systemClock.nowMs()),
  onSurprise: (error) => logger.error('request could not be answered', { error }),
});

/** An event source acts in the name of its function. */
const sourceOf = (caller: keyof typeof AT_ONCE, queueName: string) => ({
  polling: makePollingClient(asCaller(config, caller), 1, WAIT_SECONDS),
  acting: makeQueueClient(asCaller(config, caller)),
  queueName,
  queueUrl: `${config.queueUrlBase}${queueName}`,
  concurrency: AT_ONCE[caller],
  gatherMs: caller === 'ingest' ? GATHER_FACTS_MS : 0,
  deleteLingerMs: caller === 'deliver' ? DELETE_LINGER_MS : 0,
  batchSize: 10,
  waitSeconds: WAIT_SECONDS,
  timeoutMs: functionTimes.timeoutSeconds * 1_000,
  logger,
});
/** One instance serves all queues of facts of this process. */
let ingest: ReturnType<typeof composeIngest> | undefined;
const theIngest = () => (ingest ??= composeIngest(asCaller(ingestConfig(), 'ingest')));
/** And one both queues of deliveries. */
let deliver: ReturnType<typeof composeDeliver> | undefined;
const theDeliver = () => (deliver ??= composeDeliver(asCaller(deliverConfig(), 'deliver'), { allowLoopback: true }));
/** What runs beside the API: each part in one of the processes only, as its place falls. */
const parts: readonly (() => { readonly stop: () => Promise<void> })[] = [
  ...eventQueueNames(config.stage, config.eventQueues).map(
    (name) => () => startEventSource({ ...sourceOf('ingest', name), handler: theIngest() }),
  ),
  () =>
    startEventSource({
      ...sourceOf('deliver', deliveryQueueName(config.stage)),
      ...theDeliver(),
    }),
  () =>
    startEventSource({
      ...sourceOf('deliver', slowDeliveryQueueName(config.stage)),
      ...theDeliver(),
      concurrency: SLOW_AT_ONCE,
    }),
  () =>
    lookForFirstFile({
      polling: makePollingClient(asCaller(config, 'media'), 1, FIRST_FILE_WAIT_SECONDS),
      queueUrl: `${config.queueUrlBase}${mediaQueueName(config.stage)}`,
      logger,
    }),
  () => {
    const reconcile = composeReconcile(asCaller(ingestConfig(), 'reconcile'));
    return startSchedule({
      name: 'reconcile',
      everyMs: RECONCILE_EVERY_MS,
      handler: () => reconcile(undefined),
      logger,
    });
  },
  () => {
    const dispatch = composeDispatch(asCaller(ingestConfig(), 'dispatch'), { bulkRoundsMs: 0 });
    return startSchedule({ name: 'dispatch', everyMs: DISPATCH_EVERY_MS, handler: () => dispatch(undefined), logger });
  },
  () => {
    const archive = composeArchive(asCaller(archiveConfig(), 'archive'));
    return startSchedule({ name: 'archive', everyMs: ARCHIVE_EVERY_MS, handler: () => archive(undefined), logger });
  },
  () =>
    watchQueues({
      queue: makeQueueClient(asCaller(config, 'stack')),
      stage: config.stage,
      queueUrlBase: config.queueUrlBase,
      eventQueues: config.eventQueues,
      store: samples,
      logger,
    }),
];
const sources = parts.filter((_, at) => at % of === place).map((start) => start());

server.once('error', (error: NodeJS.ErrnoException) => {
  const taken = error.code === 'EADDRINUSE';
  process.stderr.write(
    taken ? `Port ${values.port} is taken. Choose another: npm start -- --port 8090\n` : `${error.message}\n`,
  );
  process.exit(1);
});
// The processes share the port: the system gives each connection to one of them, and none to one that is gone.
server.listen({ port: Number(values.port), host: '127.0.0.1', reusePort: of > 1 }, () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ ready: true, url: `http://127.0.0.1:${port}` })}\n`);
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    server.close();
    server.closeIdleConnections();
    streams.drain();
    void Promise.all(sources.map((source) => source.stop())).then(() => process.exit(0));
  });
}
