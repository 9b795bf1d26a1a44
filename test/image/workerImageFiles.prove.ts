import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readImageContents } from '../../scripts/imageFiles.ts';
import { makeWorkerImage } from '../../scripts/workerImage.ts';
import { BUILT_WORKER_NODE_FLAGS } from '../../shared/platform/workerNodeFlags.ts';
import { until } from '../whatsapp/until.ts';
import type { WorkerProcess } from '../worker/workerProcess.ts';
import { WorkerRoom } from '../worker/workerRoom.ts';

const run = promisify(execFile);
const OWN = '4915100000001';
const CONTACT = '4915100000002';
const container = readImageContents(resolve(import.meta.dirname, '../..'));
const made = mkdtempSync(join(tmpdir(), 'holdfast-image-'));
const folder = join(made, 'app');

describe('the files of the worker image', () => {
  let room: WorkerRoom;
  beforeAll(async () => {
    await makeWorkerImage(made);
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
