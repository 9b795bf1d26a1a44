import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dynamoDbBinary } from '../../../infra/local/dynamoDb.ts';
import { until } from '../../../infra/local/until.ts';

const root = resolve(import.meta.dirname, '../../..');

/** `npm start` as a process, with what it printed. */
interface Started {
  readonly process: ChildProcess;
  readonly output: () => string;
  readonly exited: Promise<number | null>;
}

/** A server on one of two ports that follow each other; the other one is free, whatever else runs on this machine. */
async function takeOneOfTwo(offset: number): Promise<{ readonly other: Server; readonly port: number }> {
  for (;;) {
    const other = createServer();
    await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
    const taken = (other.address() as AddressInfo).port;
    const neighbour = createServer();
    const isFree = await new Promise<boolean>((done) => {
      neighbour.on('error', () => done(false));
      neighbour.listen(offset === 0 ? taken + 1 : taken - 1, '127.0.0.1', () => done(true));
    });
    neighbour.close();
    if (isFree) return { other, port: taken - offset };
    other.close();
  }
}

describe('npm start', () => {
  let dataDir = '';
  const running: Started[] = [];
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'holdfast-start-'));
  });
  afterEach(async () => {
    for (const { process, exited } of running.splice(0)) {
      process.kill('SIGKILL');
      await exited;
    }
    await until('no process being left', processesOf, (pids) => pids.length === 0);
    rmSync(dataDir, { recursive: true, force: true });
  });

  const start = (...args: string[]): Started => {
    const child = spawn(process.execPath, ['infra/local/main.ts', '--data', dataDir, '--port', '0', ...args], {
      cwd: root,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const started = {
      process: child,
      output: () => output,
      exited: new Promise<number | null>((done) => child.once('exit', done)),
    };
    running.push(started);
    return started;
  };
  const untilUp = (started: Started) =>
    until('the first screen', started.output, (text) => text.includes('Ctrl-C stops.'));

  /** Processes that have the data folder in their command line or their environment's settings. */
  const processesOf = (): readonly string[] =>
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      .filter(
        (pid) =>
          readable(`/proc/${pid}/cmdline`).includes(dataDir) || readable(`/proc/${pid}/environ`).includes(dataDir),
      );
  const readable = (file: string): string => {
    try {
      return readFileSync(file, 'utf8');
    } catch {
      return '';
    }
  };

  it('shows what to do next, and leaves no process behind when it is stopped', async () => {
    const started = start();
    await untilUp(started);
    const during = processesOf().length;

    started.process.kill('SIGTERM');
    const code = await started.exited;

    expect(started.output()).toMatch(/API +http:\/\/127\.0\.0\.1:\d+/);
    expect(started.output()).toMatch(/operator key +hf_operator_/);
    expect(started.output()).toMatch(/http:\/\/127\.0\.0\.1:\d+\/pair#pair_\w{52}/);
    expect(started.output()).toContain('curl -s http://127.0.0.1:');
    expect(during).toBeGreaterThan(3);
    expect(code).toBe(0);
    await until('no process being left', processesOf, (pids) => pids.length === 0);
  });

  it('leaves no process behind when the npm is killed that started it', async () => {
    const npm = spawn('npm', ['start', '--', '--data', dataDir, '--port', '0'], { cwd: root });
    let output = '';
    npm.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await until(
      'the first screen',
      () => output,
      (text) => text.includes('Ctrl-C stops.'),
    );
    const during = processesOf().length;

    npm.kill('SIGTERM');

    expect(during).toBeGreaterThan(3);
    await until('no process being left', processesOf, (pids) => pids.length === 0);
  });

  it('shows the operator key once, and at a restart the same, and how to go on instead of how to begin', async () => {
    const outputs: string[] = [];
    for (let round = 0; round < 2; round += 1) {
      const started = start();
      await untilUp(started);
      outputs.push(started.output());
      started.process.kill('SIGTERM');
      await started.exited;
    }

    const keys = outputs.map((text) => /hf_operator_\S+/.exec(text)?.[0]);
    expect(outputs.map((text) => text.match(/hf_operator_/g)?.length)).toEqual([1, 1]);
    expect(keys[1]).toBe(keys[0]);
    expect(outputs.map((text) => text.includes('Make a tenant:'))).toEqual([true, false]);
    expect(outputs[1]).toContain(`npm run ops -- status --data '${dataDir}'`);
  });

  it('writes nothing that others may read, into a folder that they may, whatever the umask is', async () => {
    chmodSync(dataDir, 0o755);
    const before = process.umask(0);
    const started = start();
    process.umask(before);
    await untilUp(started);

    const open = readdirSync(dataDir, { recursive: true, encoding: 'utf8' })
      .map((name) => [name, statSync(join(dataDir, name)).mode & 0o777] as const)
      .filter(([, mode]) => (mode & 0o077) !== 0);
    const files = readdirSync(dataDir, { recursive: true, encoding: 'utf8' });

    expect(open).toEqual([]);
    expect(files).toEqual(expect.arrayContaining(['dynamodb.sqlite', 'root-key', 'operator-key', 'logs/worker-1.log']));
    expect(files.some((name) => name.startsWith('queues/'))).toBe(true);
    expect(statSync(dataDir).mode & 0o777).toBe(0o755);
  });

  it('on a disk that fills up stops with one sentence and no stack', async (context) => {
    const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', dataDir]);
    context.skip(mount.status !== 0, 'this user may not mount a small disk');
    try {
      const started = start('--workers', '1');
      await untilUp(started);
      // The file is as big as the disk lets it be.
      const filler = openSync(join(dataDir, 'filler'), 'w');
      try {
        for (;;) writeSync(filler, Buffer.alloc(4_096));
      } catch {
        closeSync(filler);
      }

      const code = await started.exited;

      expect(code).toBe(1);
      expect(started.output()).toMatch(
        /Holdfast cannot go on\. .*The disk that holds \S+ is full\. Make room, then start again\./,
      );
      expect(started.output()).not.toMatch(/ENOSPC|^ +at /m);
      await until('no process being left', processesOf, (pids) => pids.length === 0);
    } finally {
      spawnSync('umount', ['-l', dataDir]);
    }
  });

  it('on a full disk does not start, in one sentence', async (context) => {
    const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', dataDir]);
    context.skip(mount.status !== 0, 'this user may not mount a small disk');
    try {
      const started = start();

      expect(await started.exited).toBe(1);
      expect(started.output()).toMatch(/^Holdfast did not start\. The disk that holds \S+ is full\. Make room/m);
      expect(started.output()).not.toMatch(/ENOSPC|^ +at /m);
    } finally {
      spawnSync('umount', ['-l', dataDir]);
    }
  });

  it.each([
    ['a file', () => join(root, 'package.json'), 'is not a folder'],
    ['a path that cannot be made', () => '/proc/holdfast', 'cannot be made'],
  ])('refuses %s as its folder, with one sentence', async (_what, folder, sentence) => {
    const started = start('--data', folder());

    expect(await started.exited).toBe(1);
    expect(started.output()).toMatch(/^Holdfast did not start\. .*--data DIR$/m);
    expect(started.output()).toContain(sentence);
  });

  it('refuses to run twice on one folder', async () => {
    const first = start();
    await untilUp(first);
    const [, port = ''] = /API +http:\/\/127\.0\.0\.1:(\d+)/.exec(first.output()) ?? [];
    // The start is as when `npm start` is typed twice: the port is taken, too, and the folder is what it says.
    const second = start('--port', port);

    const code = await second.exited;

    expect(code).toBe(1);
    expect(second.output()).toMatch(/Another Holdfast \(process \d+\) runs on/);
  });

  it.each([
    ['of the API', 0, (port: number) => `Port ${port} is taken. Choose another`],
    ['of the phones', 1, (port: number) => `Port ${port + 1} is taken, which the phones of the simulator have`],
  ])('names the port that is taken and free ones to choose: %s', async (_what, offset, sentence) => {
    const { other, port } = await takeOneOfTwo(offset);

    const started = start('--port', String(port));
    const code = await started.exited;
    other.close();

    expect(code).toBe(1);
    expect(started.output()).toContain(sentence(port));
    expect(started.output()).toMatch(/npm start -- --port \d+$/m);
    await until('no process being left', processesOf, (pids) => pids.length === 0);
  });

  it.each([
    ['an unknown option', ['--fast']],
    ['a port that is none', ['--port', 'http']],
    ['fewer workers than none', ['--workers=-1']],
  ])('refuses %s with its usage', async (_what, args) => {
    const started = start(...args);

    expect(await started.exited).toBe(1);
    expect(started.output()).toContain('npm start -- [--port 8080]');
  });

  it('takes its processes along when it is killed', async () => {
    const started = start();
    await untilUp(started);

    started.process.kill('SIGKILL');
    await started.exited;

    await until('no process being left', processesOf, (pids) => pids.length === 0);
  });

  it('stops with a clear line when a part that it cannot replace is gone', async () => {
    const started = start();
    await untilUp(started);
    const functions = processesOf().find((pid) => readable(`/proc/${pid}/cmdline`).includes('emulatorsHost'));

    process.kill(Number(functions), 'SIGKILL');
    const code = await started.exited;

    expect(code).toBe(1);
    expect(started.output()).toContain('Holdfast cannot go on. emulators ended (SIGKILL).');
    await until('no process being left', processesOf, (pids) => pids.length === 0);
  });

  it('names the platform for which the emulator is missing', () => {
    expect(() => dynamoDbBinary('sunos', 'x64')).toThrow('The DynamoDB emulator for sunos-x64 is not installed.');
  });
});
