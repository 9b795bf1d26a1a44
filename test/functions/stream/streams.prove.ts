import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { TalkingChild } from '../../bench/childTalk.ts';
import type { StreamListenerAnswers } from './streamListeners.ts';
import { StreamServices, type StreamService } from './streamServices.ts';
import { StreamStage, untilSo, type StreamProcess, type StreamTenant } from './streamStage.ts';

const TENANTS = 10;
const CLIENTS_OF_EACH = 20;
const EVENTS_PER_SECOND = 200;
const IN_A_BATCH = 10;
const MINUTES = Number(process.env['STREAM_MINUTES'] ?? 5);
/** A client is cut off after a time between these, in milliseconds; a process is drained and followed by another. */
const CUT = { fromMs: 2_000, toMs: 6_000 } as const;
const DRAIN_EVERY_MS = 15_000;
/** More than the buffers of a connection on this machine take: 12 MB. */
const LONG = 20_000;
const LONG_BATCHES = 60;

/** The longest time from a fact to its client, of 99 in 100 events that are told while the client is connected, in milliseconds. */
const MOST_P99_MS = 300;

/**
 * Services and clients have processes of their own, as they have in production: a tenant has 20 streams at most, so each event is told 20
 * times, 4,000 times a second in all.
 */
describe('two hundred streams whose clients are cut off every few seconds, while processes are drained', () => {
  let stage: StreamStage;
  let services: StreamServices;
  let running: StreamService[];
  let clients: TalkingChild<StreamListenerAnswers>;
  const tenants: StreamTenant[] = [];
  const exits: (number | null)[] = [];
  beforeAll(async () => {
    stage = await StreamStage.start();
    services = await StreamServices.make(stage.config);
    running = [await services.start(), await services.start()];
    clients = TalkingChild.start(new URL('streamListeners.ts', import.meta.url));
    for (let count = 0; count < TENANTS; count += 1) tenants.push(await stage.tenant());
  });
  afterAll(async () => {
    await clients.stop();
    services.stop();
    await stage.stop();
  });

  it('tell each client each event once, in its order, and within 300 ms', async () => {
    const over = new AbortController();
    const keys = tenants.map(({ key }) => key);
    await clients.ask('begin', { keys, ofEach: CLIENTS_OF_EACH, cut: CUT, urls: running.map(({ url }) => url) });
    await untilSo('all streams are open', async () => (await clients.ask('open', undefined)) > 190);

    const draining = drainInTurns(over.signal);
    const startedMs = performance.now();
    await write();
    const seconds = (performance.now() - startedMs) / 1_000;
    const logged = new Map<string, readonly string[]>();
    for (const tenant of tenants) logged.set(tenant.key, await stage.logged(tenant));
    await untilSo('all is told', async () => {
      const fewest = await clients.ask('fewest', undefined);
      return keys.every((key) => (fewest[key] ?? 0) >= (logged.get(key)?.length ?? 0));
    });
    over.abort();
    await draining;
    const { heard, delaysMs } = await clients.ask('end', undefined);

    const all = [...logged.values()].reduce((sum, ids) => sum + ids.length, 0);
    const missed = heard.reduce((sum, { ids, key }) => {
      const had = new Set(ids);
      return sum + (logged.get(key) ?? []).filter((id) => !had.has(id)).length;
    }, 0);
    const repeated = heard.reduce((sum, { ids }) => sum + ids.length - new Set(ids).size, 0);
    const delays = delaysMs.toSorted((one, other) => one - other);
    const at = (share: number): number => Math.round(delays[Math.floor(delays.length * share)] ?? Number.NaN);
    const drops = heard.reduce((sum, one) => sum + one.drops, 0);
    process.stdout.write(
      `${heard.length} streams, ${all} events at ${Math.round(all / seconds)} a second, ${drops} drops, ${exits.length} processes drained: ${missed} missed, ${repeated} repeated, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms of ${delays.length} told while connected\n`,
    );

    expect([missed, repeated]).toEqual([0, 0]);
    for (const { ids, key } of heard) expect(ids).toEqual(logged.get(key));
    expect(new Set(exits)).toEqual(new Set([0]));
    expect(at(0.99)).toBeLessThanOrEqual(MOST_P99_MS);
  }, 1_800_000);

  /** Records events at a steady pace, for all tenants in turn. */
  async function write(): Promise<void> {
    const startedMs = performance.now();
    const batches = (MINUTES * 60 * EVENTS_PER_SECOND) / IN_A_BATCH;
    for (let batch = 0; batch < batches; batch += 1) {
      const dueMs = startedMs + (batch * IN_A_BATCH * 1_000) / EVENTS_PER_SECOND;
      await systemClock.sleep(Math.max(0, dueMs - performance.now()));
      const tenant = tenants[batch % tenants.length];
      if (tenant !== undefined) await stage.receive(tenant, IN_A_BATCH);
    }
  }

  /** Drains one process after the other, each when another has taken its place. */
  async function drainInTurns(signal: AbortSignal): Promise<void> {
    for (let place = 0; !signal.aborted; place = (place + 1) % 2) {
      await systemClock.sleep(DRAIN_EVERY_MS, signal);
      const leaving = running[place];
      if (signal.aborted || leaving === undefined) return;
      running[place] = await services.start();
      await clients.ask(
        'moveTo',
        running.map(({ url }) => url),
      );
      exits.push(await leaving.drain());
    }
  }
});

describe('a client that takes nothing', () => {
  let stage: StreamStage;
  let process: StreamProcess;
  beforeAll(async () => {
    stage = await StreamStage.start();
    process = await stage.process();
  });
  afterAll(async () => {
    await process.stop();
    await stage.stop();
  });

  it('is ended, and the others of its tenant are told all meanwhile', async () => {
    const tenant = await stage.tenant();
    const { hostname, port, pathname } = new URL(process.url);
    const stuck = connect(Number(port), hostname);
    stuck.on('error', () => stuck.destroy());
    stuck.pause();
    stuck.write(`GET ${pathname} HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Bearer ${tenant.key}\r\n\r\n`);
    const well = await stage.open(process, tenant);
    await untilSo('both are open', () => process.streams.count === 2);
    for (let batch = 0; batch < LONG_BATCHES; batch += 1) {
      await stage.receive(tenant, IN_A_BATCH, { body: 'x'.repeat(LONG) });
    }
    await untilSo('all is told', () => well.events.length === LONG_BATCHES * IN_A_BATCH);
    await untilSo('the client that takes nothing is ended', () => process.streams.count === 1);
    await well.cut();
    stuck.destroy();

    expect(well.events.map(({ id }) => id)).toEqual(await stage.logged(tenant));
  });
});
