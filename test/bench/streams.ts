/**
 * `npm run bench:streams -- --streams 10000`: what a process of the stream service needs for streams on which nothing happens, beside
 * a floor in the same run: a server of Node's that sends the same beats and does nothing else. Memory and CPU are the process's own;
 * the lag of a beat is how much later it came than 15 s after the one before.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { usualQuotas } from '../../shared/platform/quotaRows.ts';
import type { StoreConfig } from '../../shared/platform/storeConfig.ts';
import { makeStreamImage } from '../../scripts/streamImage.ts';
import { ApiStack } from '../functions/api/apiStack.ts';
import { environmentOf } from '../functions/stream/streamServices.ts';
import { figuresOf } from './processFigures.ts';

const BEAT_MS = 15_000;
const BEATS_SEEN = 4;
/** A log at which nothing happens is looked at less often after a minute. */
const UNTIL_QUIET_MS = 75_000;
/** How many streams are opened at once: as many as clients that were cut off together, a second apart. */
const OPENED_AT_ONCE = 100;

interface Server {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly port: number;
}

interface Result {
  readonly name: string;
  readonly openedPerSecond: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  readonly cpuShare: number;
  readonly lagsMs: readonly number[];
}

const { values } = parseArgs({ options: { streams: { type: 'string', default: '10000' } } });
const count = Number(values.streams);
const seen: StoreConfig[] = [];
const api = await ApiStack.start((direct) => {
  seen.push(direct);
  return Promise.resolve({});
});
const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-streams-'));
await makeStreamImage(folder);
const keys: string[] = [];
while (keys.length * usualQuotas.streams < count) keys.push((await api.tenant()).key);
const floor = await serverOf([join(import.meta.dirname, 'streamsFloorServer.ts')], {});
const results = [await measure('floor', floor, () => '')];
floor.child.kill('SIGKILL');
const ours = await serverOf([join(folder, 'app/functions/stream/main.mjs')], environmentOf(configOf(seen)));
results.push(await measure('product', ours, (index) => `authorization: Bearer ${keys[index % keys.length]}\r\n`));
ours.child.kill('SIGKILL');
print(results);
await api.stop();
rmSync(folder, { recursive: true, force: true });

function configOf([config]: readonly StoreConfig[]): StoreConfig {
  if (config === undefined) throw new Error('the stack has a configuration');
  return config;
}

async function serverOf(words: readonly string[], env: Record<string, string>): Promise<Server> {
  const child = spawn(process.execPath, [...words], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const { port } = JSON.parse(line) as { readonly port: number };
  child.stdout.resume();
  return { child, pid: child.pid ?? 0, port };
}

async function measure(name: string, { pid, port }: Server, headers: (index: number) => string): Promise<Result> {
  const bytesBefore = figuresOf(pid).residentBytes;
  const beats: number[][] = [];
  const sockets: Array<{ destroy(): unknown }> = [];
  const startedMs = performance.now();
  for (let first = 0; first < count; first += OPENED_AT_ONCE) {
    const some = Array.from({ length: Math.min(OPENED_AT_ONCE, count - first) }, (_, at) => first + at);
    const opened = await Promise.all(some.map((index) => open(port, headers(index))));
    for (const { socket, beatsMs } of opened) {
      sockets.push(socket);
      beats.push(beatsMs);
    }
  }
  const openedPerSecond = count / ((performance.now() - startedMs) / 1_000);
  await pause(UNTIL_QUIET_MS);
  const [cpuMs, fromMs] = [figuresOf(pid).cpuMs, performance.now()];
  await pause(BEAT_MS * BEATS_SEEN);
  const { cpuMs: nowCpuMs, residentBytes: bytesAfter } = figuresOf(pid);
  const cpuShare = (nowCpuMs - cpuMs) / (performance.now() - fromMs);
  const lagsMs = beats.flatMap((times) => times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0) - BEAT_MS));
  for (const socket of sockets) socket.destroy();
  return { name, openedPerSecond, bytesBefore, bytesAfter, cpuShare, lagsMs };
}

/** Opens a stream; resolves when it has begun. Rejects when it was refused. */
async function open(port: number, headers: string) {
  const socket = connect(port, '127.0.0.1');
  const beatsMs: number[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  socket.once('error', reject);
  socket.once('data', (chunk) => {
    const head = chunk.toString();
    if (head.startsWith('HTTP/1.1 200')) resolve(undefined);
    else reject(new Error(head.split('\r\n', 1)[0]));
  });
  socket.on('data', (chunk) => {
    if (chunk.includes(': beat')) beatsMs.push(performance.now());
  });
  socket.write(`GET /v1/events/stream HTTP/1.1\r\nhost: 127.0.0.1\r\n${headers}\r\n`);
  await promise;
  return { socket, beatsMs };
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}

function percentile(all: readonly number[], share: number): number {
  const sorted = all.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function print(all: readonly Result[]): void {
  const mb = (bytes: number): string => (bytes / 1_000_000).toFixed(0);
  process.stdout.write(`\n${count} streams on which nothing happens, ${cpus().length} cores\n\n`);
  const head = [
    '',
    'opened a second',
    'MB before',
    'MB with them',
    'KB a stream',
    'of a core',
    'lag p50, ms',
    'p99',
    'most',
  ];
  const lines = all.map(({ name, openedPerSecond, bytesBefore, bytesAfter, cpuShare, lagsMs }) => [
    name,
    openedPerSecond.toFixed(0),
    mb(bytesBefore),
    mb(bytesAfter),
    ((bytesAfter - bytesBefore) / count / 1_000).toFixed(1),
    `${(cpuShare * 100).toFixed(1)} %`,
    ...[0.5, 0.99, 1].map((share) => percentile(lagsMs, share).toFixed(0)),
  ]);
  for (const line of [head, head.map(() => '---'), ...lines]) process.stdout.write(`| ${line.join(' | ')} |\n`);
}
