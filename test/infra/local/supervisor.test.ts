import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
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
    expect(started.output()).toContain('curl -s http://127.0.0.1:');
    expect(during).toBeGreaterThan(3);
    expect(code).toBe(0);
    await until('no process being left', processesOf, (pids) => pids.length === 0);
  }, 60_000);

  it('shows the same operator key again at the next start', async () => {
    const keys: (string | undefined)[] = [];
    for (let round = 0; round < 2; round += 1) {
      const started = start();
      await untilUp(started);
      keys.push(/hf_operator_\S+/.exec(started.output())?.[0]);
      started.process.kill('SIGTERM');
      await started.exited;
    }

    expect(keys[0]).toBeDefined();
    expect(keys[1]).toBe(keys[0]);
  }, 90_000);

  it('refuses to run twice on one folder', async () => {
    await untilUp(start());
    const second = start();

    const code = await second.exited;

    expect(code).toBe(1);
    expect(second.output()).toMatch(/Another Holdfast \(process \d+\) runs on/);
  }, 60_000);

  it('says in one line that its port is taken, and stops everything else', async () => {
    const other = createServer();
    await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
    const { port } = other.address() as AddressInfo;

    const started = start('--port', String(port));
    const code = await started.exited;
    other.close();

    expect(code).toBe(1);
    expect(started.output()).toContain(`Port ${port} is taken.`);
    await until('no process being left', processesOf, (pids) => pids.length === 0);
  }, 60_000);

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
  }, 60_000);

  it('stops with a clear line when a part that it cannot replace is gone', async () => {
    const started = start();
    await untilUp(started);
    const functions = processesOf().find((pid) => readable(`/proc/${pid}/cmdline`).includes('emulatorsHost'));

    process.kill(Number(functions), 'SIGKILL');
    const code = await started.exited;

    expect(code).toBe(1);
    expect(started.output()).toContain('Holdfast cannot go on. emulators ended (SIGKILL).');
    await until('no process being left', processesOf, (pids) => pids.length === 0);
  }, 60_000);

  it('names the platform for which the emulator is missing', () => {
    expect(() => dynamoDbBinary('sunos', 'x64')).toThrow('The DynamoDB emulator for sunos-x64 is not installed.');
  });
});
