import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { CONVERTER_FILE } from '../../infra/settings/environment.ts';
import { readImageContents } from '../../scripts/imageFiles.ts';
import { makeMediaImage, type ImageProcessor } from '../../scripts/mediaImage.ts';
import { runCommand } from '../../scripts/runCommand.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import { makeId } from '../../shared/kernel/id.ts';
import { systemRandom } from '../../shared/kernel/random.ts';
import { broughtKeyOf, type BroughtFile } from '../../shared/media/broughtFile.ts';
import { BroughtFileStore } from '../../shared/media/broughtFileStore.ts';
import { S3ObjectStore } from '../../shared/media/s3ObjectStore.ts';
import type { SendJob } from '../../shared/media/sendJob.ts';
import type { SentUse } from '../../shared/media/sentUse.ts';
import { uploadNameOf } from '../../shared/media/upload.ts';
import { UploadStore } from '../../shared/media/uploadStore.ts';
import { makeDocumentClient } from '../../shared/platform/aws.ts';
import { makeObjectClient } from '../../shared/platform/objectClient.ts';
import { createTables, startDynamoDb } from '../emulators/dynamodb.ts';
import { startObjects } from '../emulators/objects.ts';
import { createQueues, startQueues } from '../emulators/queues.ts';
import { aStoreConfig } from '../emulators/storeConfig.ts';
import { gifOf, pngOf } from '../functions/media/prepare/madePictures.ts';
import { swelling, waveOf } from '../functions/media/prepare/sounds.ts';
import { UploadHost } from '../functions/media/send/uploadHost.ts';
import { RuntimeApi } from '../functions/runtime/runtimeApi.ts';
import { until } from '../whatsapp/until.ts';
import { bringBase, Builder, IMAGE_USER, processOf } from './builder.ts';
import { judged, skipped, type Judge } from './judgement.ts';
import { versionOf } from './tools.ts';

const root = join(import.meta.dirname, '../..');
const ANSWER_MS = 240_000;

/** What Docker calls a processor, by what npm calls it, with the number that ELF has for it. */
const processors = {
  arm64: { docker: 'arm64', elf: 183 },
  x64: { docker: 'amd64', elf: 62 },
} as const satisfies Readonly<Record<ImageProcessor, object>>;

/** What is brought, each made by another part of the image: sharp, the codec of Opus, and ffmpeg. */
const brought: readonly (readonly [as: SentUse, bytes: () => Buffer, made: string])[] = [
  ['image', () => pngOf({ width: 640, height: 480 }), 'image/jpeg'],
  ['voice', () => waveOf(2, swelling(2)), 'audio/ogg; codecs=opus'],
  ['gif', () => gifOf(64, 64, 5), 'video/mp4'],
];

/** The Dockerfile of the media function: for this machine, where a call converts three files in it, and its parts for Lambda's processor. */
export const mediaImage: Judge = {
  name: 'media-image',
  what: 'the Dockerfile of the media function, built with buildah; in it a photo, a voice note and a moving GIF are made; its parts for ARM',
  run: async (room) => {
    if ((await versionOf('buildah', '--version')) === undefined)
      return skipped('There is no buildah, which builds images without a daemon.');
    const own = process.arch === 'arm64' || process.arch === 'x64' ? process.arch : undefined;
    if (own === undefined || process.platform !== 'linux') return skipped('It takes Linux on ARM or x86 of 64 bits.');
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
    const context = join(room.folder, 'media-image');
    await makeMediaImage(context, own);
    await build(builder, own, context, 'judged-media');
    const seconds = ((performance.now() - startedMs) / 1_000).toFixed(0);
    const ran = await runCall(builder);
    const parts = await lookAtArm(builder, room.folder);
    const objections = [...ran.objections, ...parts.objections];
    return judged(objections, `on ${from}: built in ${seconds} s, ${ran.figures}; ${parts.figures}`, room);
  },
};

async function build(builder: Builder, processor: ImageProcessor, context: string, tag: string, target?: string) {
  await builder.run(
    'build',
    '--pull-never',
    '--format',
    'docker',
    '--layers=false',
    // npm and apt fetch what the lock and Debian name.
    '--network',
    'host',
    '--build-arg',
    `TARGETARCH=${processors[processor].docker}`,
    ...(target === undefined ? [] : ['--target', target]),
    '-t',
    tag,
    context,
  );
}

/** Lambda gives the image one call with three files, which it converts and uploads. */
async function runCall(builder: Builder) {
  const [dynamoDb, queues, objects, host] = await Promise.all([
    startDynamoDb(),
    startQueues(),
    startObjects(),
    UploadHost.start(),
  ]);
  const lambda = new RuntimeApi();
  const api = await lambda.start();
  try {
    await Promise.all([createTables(dynamoDb.endpoint, 'test'), createQueues(queues.endpoint, 'test', 1)]);
    const config = aStoreConfig({ dynamoDb, queues }, objects.config);
    const stores = { table: makeDocumentClient(config), stage: 'test', clock: systemClock };
    const files = await Promise.all(
      brought.map(async ([as, bytes, made]) => {
        const file = await bring(stores, new S3ObjectStore(makeObjectClient(config), config.mediaBucket), bytes());
        return { as, made, file };
      }),
    );
    lambda.calls.push({ Records: files.map(({ as, file }) => recordOf(file, as, host.name)) });
    const environment = {
      AWS_LAMBDA_RUNTIME_API: api,
      AWS_LAMBDA_FUNCTION_NAME: 'test-media',
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      HOLDFAST_STAGE: 'test',
      HOLDFAST_DYNAMODB_ENDPOINT: dynamoDb.endpoint,
      HOLDFAST_SQS_ENDPOINT: queues.endpoint,
      HOLDFAST_QUEUE_URL_BASE: queues.queueUrlBase,
      HOLDFAST_S3_ENDPOINT: config.s3Endpoint ?? '',
      HOLDFAST_MEDIA_BUCKET: config.mediaBucket,
      HOLDFAST_CONVERTER_FILE: CONVERTER_FILE,
      WHATSAPP_FILES_URL: host.origin,
    };
    const container = await builder.run('from', '--pull-never', 'judged-media');
    const size = await builder.run('run', container, '--', 'du', '-sk', '/var/task');
    const answer = await call(builder, container, environment, lambda);
    const uploads = new UploadStore(stores);
    const outcomes = await Promise.all(
      files.map(async ({ as, made, file }) => {
        const row = await uploads.find(uploadNameOf(file, { as, convert: true }));
        const found = row?.state === 'uploaded' ? row.file.prepared.mimeType : `a row that is ${row?.state}`;
        return found === made ? [] : [`what was to be sent as ${as} is ${found}, and not ${made}`];
      }),
    );
    const megabytes = Math.round(Number(size.split(/\s/)[0]) / 1_024);
    return {
      objections: [...answer, ...outcomes.flat()],
      figures: `${megabytes} MB in /var/task; one call made ${brought.map(([as]) => as).join(', ')}, ${host.uploads.length} uploads`,
    };
  } finally {
    await Promise.all([lambda.stop(), dynamoDb.stop(), queues.stop(), objects.stop(), host.stop()]);
  }
}

/** Runs the image as a user who may write below /tmp alone, as Lambda does, until it has answered. Returns what is wrong with that. */
async function call(
  builder: Builder,
  container: string,
  environment: Readonly<Record<string, string>>,
  lambda: RuntimeApi,
): Promise<readonly string[]> {
  const variables = Object.entries(environment).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
  const entry = ['node', '--enable-source-maps', 'functions/media/container.mjs'];
  const child = builder.start(
    'run',
    '--network',
    'host',
    '--user',
    `${IMAGE_USER}:${IMAGE_USER}`,
    ...variables,
    container,
    '--',
    ...entry,
  );
  let complained = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complained = `${complained}${text}`.slice(-2_000)));
  child.stdout.resume();
  const closed = once(child, 'close');
  try {
    const [posted] = await Promise.race([
      until(
        'an answer of the image',
        () => lambda.posted,
        (all) => all.length > 0,
        ANSWER_MS,
      ),
      closed.then(() => []),
    ]);
    const failures = (posted?.body as { readonly batchItemFailures?: readonly object[] } | undefined)
      ?.batchItemFailures;
    if (posted === undefined) return [`the image ended without an answer: ${complained}`];
    return failures?.length === 0 ? [] : [`it did not do what it was called for: ${JSON.stringify(posted.body)}`];
  } finally {
    if (child.exitCode === null) process.kill(processOf(child.pid ?? 0)[0], 'SIGKILL');
    await closed;
  }
}

interface Stores {
  readonly table: ReturnType<typeof makeDocumentClient>;
  readonly stage: string;
  readonly clock: typeof systemClock;
}

async function bring(stores: Stores, objects: S3ObjectStore, bytes: Buffer): Promise<BroughtFile> {
  const nowMs = Date.now();
  const tenantId = makeId('tnt', nowMs, systemRandom);
  const mediaId = makeId('med', nowMs, systemRandom);
  const objectKey = broughtKeyOf(tenantId, mediaId, 90);
  const file: BroughtFile = {
    mediaId,
    tenantId,
    broughtBy: 'upload',
    state: 'ready',
    objectKey,
    bytes: bytes.length,
    createdAtMs: nowMs,
  };
  await objects.write(objectKey, Readable.from([bytes]), { contentType: 'x/y' }, new AbortController().signal);
  await new BroughtFileStore(stores).create(file);
  return file;
}

/** A record of the queue of media, as Lambda hands it on. */
function recordOf({ tenantId, mediaId }: BroughtFile, as: SentUse, host: string) {
  const nowMs = Date.now();
  const job: SendJob = {
    version: 1,
    kind: 'send',
    tenantId,
    connectionId: makeId('con', nowMs, systemRandom),
    shard: 0,
    correlationId: makeId('cor', nowMs, systemRandom),
    mediaId,
    as,
    convert: true,
    round: 0,
    token: 't',
    hosts: [host],
  };
  return {
    messageId: randomUUID(),
    receiptHandle: 'handle',
    body: JSON.stringify(job),
    attributes: { ApproximateReceiveCount: '1', SentTimestamp: String(nowMs) },
  };
}

/** Builds the parts for ARM, where Lambda runs them, and looks whether the machine code is for it, and all of it there. */
async function lookAtArm(builder: Builder, folder: string) {
  const context = join(folder, 'media-image-arm');
  await makeMediaImage(context, 'arm64');
  await build(builder, 'arm64', context, 'judged-parts', 'parts');
  const container = await builder.run('from', '--pull-never', 'judged-parts');
  const list = (...args: readonly string[]) => builder.run('run', container, '--', ...args);
  const code = (
    await list(
      'find',
      '/parts',
      '-type',
      'f',
      '(',
      '-name',
      '*.so*',
      '-o',
      '-name',
      '*.node',
      '-o',
      '-name',
      'ffmpeg',
      ')',
    )
  )
    .split('\n')
    .filter((path) => path !== '');
  const here = (await list('find', '/usr/lib', '/lib', '-name', '*.so*')).split('\n').map(nameOf);
  // With this storage driver a mount is the folder itself.
  const there = await builder.run('mount', container);
  // A package may carry one file for each system and processor, of which it loads its own.
  const alternatives = Map.groupBy(code, (path) => (path.endsWith('.node') ? dirname(path) : path));
  const isForArm = (path: string): boolean => machineOf(join(there, path)) === processors.arm64.elf;
  const objections = [...alternatives].flatMap(([place, paths]) =>
    paths.some(isForArm) ? [] : [`${place} is for other processors alone`],
  );
  const parts = (await list('find', '/parts', '-name', '*.so*')).split('\n').map(nameOf);
  const missing = await missingOf(
    code.filter(isForArm).map((path) => join(there, path)),
    new Set([...here, ...parts]),
  );
  if (!code.some((path) => path.endsWith('/ffmpeg'))) objections.push('there is no ffmpeg for ARM');
  if (!code.some((path) => path.includes('sharp-linux-arm64'))) objections.push('there is no sharp for ARM');
  return {
    objections: [...objections, ...missing.objections],
    figures: `for ARM ${code.length} files of machine code, ${missing.figures}`,
  };
}

/**
 * The libraries that what runs in the image asks for by name, itself or by way of others, and that are nowhere. What only lies beside them, such as plugins
 * that nobody loads, is left out. `readelf` of binutils says what each asks for.
 * @param names the names under which libraries are there
 */
async function missingOf(paths: readonly string[], names: ReadonlySet<string>) {
  if ((await versionOf('readelf', '--version')) === undefined)
    return { objections: [], figures: 'without readelf nobody has looked for what they load' };
  const { printed } = await runCommand('readelf', ['-d', ...paths], false);
  const parts = printed.split(/^File: /m).slice(1);
  const neededBy = new Map(parts.map((part) => [calledIn(part), namesIn(part, 'NEEDED')] as const));
  const runs = paths.filter((path) => path.endsWith('/ffmpeg') || path.endsWith('.node')).map(nameOf);
  const loaded = new Set<string>(runs.flatMap((name) => neededBy.get(name) ?? []));
  for (const name of loaded) for (const needed of neededBy.get(name) ?? []) loaded.add(needed);
  const missing = [...loaded].filter((name) => !names.has(name) && !name.startsWith('ld-linux'));
  return {
    objections: missing.map((name) => `nothing in the image is ${name}, which its machine code loads`),
    figures: `what runs there loads ${loaded.size} libraries, and ${missing.length} of these are missing`,
  };
}

/** The name by which others ask for a file that `readelf` tells of: its own, or that of the file. */
const calledIn = (part: string): string =>
  namesIn(part, 'SONAME')[0] ?? nameOf(part.slice(0, part.indexOf('\n')).trim());

function namesIn(part: string, tag: 'NEEDED' | 'SONAME'): readonly string[] {
  return [...part.matchAll(/\((\w+)\)[^[\n]*\[([^\]]+)\]/g)].flatMap(([, found, name = '']) =>
    found === tag ? [name] : [],
  );
}

/** The processor that a file of machine code is for, by its number in ELF; undefined for what is none of Linux. */
function machineOf(path: string): number | undefined {
  const head = readFileSync(path).subarray(0, 20);
  return head.length === 20 && head.toString('latin1', 0, 4) === '\x7fELF' ? head.readUInt16LE(18) : undefined;
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
