import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { readImageContents } from '../../scripts/imageFiles.ts';
import { makeWorkerImage } from '../../scripts/workerImage.ts';
import { createTables, startDynamoDb } from '../emulators/dynamodb.ts';
import { createQueues, startQueues } from '../emulators/queues.ts';
import { makeKeyFile } from '../worker/workerProcess.ts';
import { bringBase, Builder, IMAGE_USER, processOf } from './builder.ts';
import { judged, skipped, type Judge } from './judgement.ts';
import { versionOf } from './tools.ts';

const root = resolve(import.meta.dirname, '../..');
const SHARDS = 16;
/** How long the worker in the image may take to be ready, and to end after SIGTERM. */
const WORKER_MS = 120_000;

/** The Dockerfile, built as it is; then a worker in the image takes shards on emulators, and drains at SIGTERM. */
export const image: Judge = {
  name: 'image',
  what: 'the Dockerfile, built with buildah; a worker in the image as its user, from its first shard to its drain',
  run: async (room) => {
    const version = await versionOf('buildah', '--version');
    if (version === undefined) return skipped('There is no buildah, which builds images without a daemon.');
    const { nodeVersion } = readImageContents(root);
    const builder = new Builder(room.folder);
    const base = `docker.io/library/node:${nodeVersion}-slim`;
    const from = await bringBase(builder, base, nodeVersion, room);
    if (from === undefined) {
      return skipped(
        `${base} cannot be pulled here, and without debootstrap, root and Linux no base can be made in its place.`,
      );
    }
    const startedMs = performance.now();
    const context = join(room.folder, 'image');
    await makeWorkerImage(context);
    // Nothing is fetched while it is built.
    await builder.run(
      'build',
      '--pull-never',
      '--format',
      'docker',
      '--layers=false',
      '--network',
      'none',
      '-t',
      'judged',
      context,
    );
    const seconds = ((performance.now() - startedMs) / 1_000).toFixed(0);
    const ran = await runWorker(builder);
    return judged(ran.objections, `on ${from}: built in ${seconds} s, ${ran.figures}`, room);
  },
};

async function runWorker(builder: Builder) {
  const { command } = readImageContents(root);
  const keyFile = makeKeyFile();
  const [dynamoDb, queues] = await Promise.all([startDynamoDb(), startQueues()]);
  try {
    await Promise.all([createTables(dynamoDb.endpoint, 'test'), createQueues(queues.endpoint, 'test', SHARDS)]);
    const container = await builder.run('from', '--pull-never', 'judged');
    await builder.run('copy', '-q', '--chown', `${IMAGE_USER}:${IMAGE_USER}`, container, keyFile.path, '/tmp/root.key');
    const environment = {
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      HOLDFAST_STAGE: 'test',
      HOLDFAST_DYNAMODB_ENDPOINT: dynamoDb.endpoint,
      HOLDFAST_SQS_ENDPOINT: queues.endpoint,
      HOLDFAST_QUEUE_URL_BASE: queues.queueUrlBase,
      HOLDFAST_SHARD_COUNT: String(SHARDS),
      HOLDFAST_KEY_FILE: '/tmp/root.key',
      HOLDFAST_TASK_ID: 'task-image',
      HOLDFAST_STATUS_PORT: '0',
      HOLDFAST_COMMAND_WAIT_SECONDS: '1',
    };
    const variables = Object.entries(environment).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
    const size = await sizeOf(builder, container);
    const seen = await watchWorker(
      builder.start('run', '--network', 'host', ...variables, container, '--', ...command),
    );
    return {
      objections: seen.objections,
      figures: `${size} MB in /app; the worker ran as user ${seen.user}, took ${seen.shards} shards and ended with ${seen.code} after ${seen.drainSeconds.toFixed(1)} s`,
    };
  } finally {
    await Promise.all([dynamoDb.stop(), queues.stop()]);
    keyFile.remove();
  }
}

async function sizeOf(builder: Builder, container: string): Promise<number> {
  const kilobytes = await builder.run('run', container, '--', 'du', '-sk', '/app');
  return Math.round(Number(kilobytes.split(/\s/)[0]) / 1_024);
}

/** Waits until the worker holds all shards, asks it to stop, and waits for its end. */
async function watchWorker(child: ReturnType<Builder['start']>) {
  const deadline = AbortSignal.timeout(WORKER_MS);
  deadline.addEventListener('abort', () => child.kill('SIGKILL'));
  const held = new Set<number>();
  const all = Promise.withResolvers<void>();
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors = `${errors}${text}`.slice(-1_000)));
  createInterface({ input: child.stdout }).on('line', (text) => {
    const shard = shardIn(text);
    if (shard !== undefined) held.add(shard);
    if (held.size === SHARDS) all.resolve();
  });
  const closed = once(child, 'close').then(([code]) => Number(code));
  await Promise.race([all.promise, closed]);
  const askedMs = performance.now();
  // buildah hands no signal on, but its children can be seen from here.
  const [pid, user] = child.exitCode === null ? processOf(child.pid ?? 0) : [undefined, undefined];
  if (pid !== undefined) process.kill(pid, 'SIGTERM');
  const code = await closed;
  return {
    code,
    user,
    shards: held.size,
    drainSeconds: (performance.now() - askedMs) / 1_000,
    objections: [
      ...(held.size === SHARDS ? [] : [`the worker took ${held.size} of ${SHARDS} shards: ${errors}`]),
      ...(code === 0 ? [] : [`the worker ended with ${code}: ${errors}`]),
      ...(user === IMAGE_USER || user === undefined ? [] : [`the worker ran as user ${user}`]),
    ],
  };
}

/** The shard that a line of the worker's log says was claimed. */
function shardIn(text: string): number | undefined {
  if (!text.startsWith('{')) return undefined;
  const { message, shard } = JSON.parse(text) as { readonly message?: string; readonly shard?: number };
  return message === 'shard claimed' ? shard : undefined;
}
