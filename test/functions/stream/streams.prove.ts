import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { StreamClient } from './streamClient.ts';
import { StreamStage, untilSo, type StreamProcess, type StreamTenant } from './streamStage.ts';

const TENANTS = 10;
const CLIENTS_OF_EACH = 20;
const EVENTS_PER_SECOND = 200;
const IN_A_BATCH = 10;
const MINUTES = 5;
/** A client is cut off after a time between these, in milliseconds; a process is drained and followed by another. */
const CUT = { fromMs: 2_000, toMs: 6_000 } as const;
const DRAIN_EVERY_MS = 15_000;
/** More than the buffers of a connection on this machine take: 12 MB. */
const LONG = 20_000;
const LONG_BATCHES = 60;

/** A client that is cut off again and again, and goes on each time behind the last event that it has. */
interface Listener {
  readonly tenant: StreamTenant;
  readonly ids: string[];
  readonly delaysMs: number[];
  drops: number;
}

describe('two hundred streams whose clients are cut off every few seconds, while processes are drained', () => {
  let stage: StreamStage;
  let processes: StreamProcess[];
  const tenants: StreamTenant[] = [];
  beforeAll(async () => {
    stage = await StreamStage.start();
    processes = await Promise.all([stage.process(), stage.process()]);
    for (let count = 0; count < TENANTS; count += 1) tenants.push(await stage.tenant());
  });
  afterAll(async () => {
    await Promise.all(processes.map((process) => process.stop()));
    await stage.stop();
  });

  it('tell each client each event once, and in its order', async () => {
    const over = new AbortController();
    const listeners: Listener[] = tenants.flatMap((tenant) =>
      Array.from({ length: CLIENTS_OF_EACH }, () => ({ tenant, ids: [], delaysMs: [], drops: 0 })),
    );
    const listening = listeners.map((listener, place) => listen(listener, place, over.signal));
    await untilSo('all streams are open', () => processes.reduce((sum, { streams }) => sum + streams.count, 0) > 190);

    const draining = drainInTurns(over.signal);
    const startedMs = performance.now();
    await write();
    const seconds = (performance.now() - startedMs) / 1_000;
    const logged = new Map<string, readonly string[]>();
    for (const tenant of tenants) logged.set(tenant.tenantId, await stage.logged(tenant));
    await untilSo('all is told', () =>
      listeners.every(({ ids, tenant }) => ids.length >= (logged.get(tenant.tenantId)?.length ?? 0)),
    );
    over.abort();
    await Promise.all([...listening, draining]);

    const all = [...logged.values()].reduce((sum, ids) => sum + ids.length, 0);
    const repeated = listeners.reduce((sum, { ids }) => sum + ids.length - new Set(ids).size, 0);
    const missed = listeners.reduce((sum, { ids, tenant }) => {
      const had = new Set(ids);
      return sum + (logged.get(tenant.tenantId) ?? []).filter((id) => !had.has(id)).length;
    }, 0);
    const delays = listeners.flatMap(({ delaysMs }) => delaysMs).toSorted((one, other) => one - other);
    const at = (share: number): string => `${Math.round(delays[Math.floor(delays.length * share)] ?? 0)} ms`;
    const drops = listeners.reduce((sum, one) => sum + one.drops, 0);
    process.stdout.write(
      `${listeners.length} streams, ${all} events at ${Math.round(all / seconds)} a second, ${drops} drops: ${missed} missed, ${repeated} repeated, p50 ${at(0.5)}, p99 ${at(0.99)} of those told while connected\n`,
    );

    expect([missed, repeated]).toEqual([0, 0]);
    for (const { ids, tenant } of listeners) expect(ids).toEqual(logged.get(tenant.tenantId));
  }, 1_800_000);

  /** Listens until the end, on one process after the other. */
  async function listen(listener: Listener, place: number, signal: AbortSignal): Promise<void> {
    let lastId: string | undefined;
    for (let turn = place; !signal.aborted; turn += 1) {
      const target = processes[turn % processes.length];
      if (target === undefined) return;
      const client = await openOn(target, listener, lastId);
      if (client?.status !== 200) {
        await systemClock.sleep(200, signal);
        continue;
      }
      const cutMs = CUT.fromMs + Math.random() * (CUT.toMs - CUT.fromMs);
      await Promise.race([client.over, systemClock.sleep(cutMs, signal)]);
      await client.cut();
      listener.drops += 1;
      listener.ids.push(...client.events.map(({ id }) => id));
      listener.delaysMs.push(...client.delaysMs);
      lastId = client.lastId ?? lastId;
    }
  }

  async function openOn(
    { url }: StreamProcess,
    { tenant }: Listener,
    lastId: string | undefined,
  ): Promise<StreamClient | undefined> {
    const headers = {
      authorization: `Bearer ${tenant.key}`,
      ...(lastId === undefined ? {} : { 'last-event-id': lastId }),
    };
    const query = lastId === undefined ? '?from=oldest' : '';
    // A process that is being replaced takes no connection.
    return StreamClient.open(`${url}${query}`, headers).catch(() => undefined);
  }

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
      const leaving = processes[place];
      if (signal.aborted || leaving === undefined) return;
      processes[place] = await stage.process();
      await leaving.stop();
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
