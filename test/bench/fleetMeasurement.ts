import { until } from '../whatsapp/until.ts';
import { inParallel } from '../chaos/inParallel.ts';
import type { TalkingChild } from './childTalk.ts';
import type { FleetFigures } from './fleetFigures.ts';
import type { FleetPlace, FleetServerAnswers, Writing } from './fleetServer.ts';
import { jidOfNumber, pause, type FleetSide } from './fleetSide.ts';
import { LoopDelay } from './loopDelay.ts';
import { collectedMemory } from './memory.ts';

export interface FleetLoad {
  readonly connections: number;
  /** Messages sent by each connection after its first one. */
  readonly sends: number;
  /** Messages received by each connection. */
  readonly messages: number;
  /** Messages that wait for one connection alone. */
  readonly burst: number;
  readonly idleSeconds: number;
}

const HANDSHAKES = 10;
const SENDS_AT_ONCE = 100;
const SETTLE_MS = 3_000;
const TRAFFIC_DEADLINE_MS = 600_000;
const KB = 1_024;

interface Span {
  readonly seconds: number;
  readonly cpuMs: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Runs one side through the bench. The accounts are loaded; their number is that of the load. */
export async function measureFleet(
  side: FleetSide,
  place: Pick<FleetPlace, 'contacts'> & { readonly numbers: readonly string[] },
  server: TalkingChild<FleetServerAnswers>,
  load: FleetLoad,
): Promise<FleetFigures> {
  const { connections, sends, messages, burst, idleSeconds } = load;
  const all = place.numbers.map((_, index) => index);
  const contactOf = (index: number): string => place.contacts[index % place.contacts.length] ?? '';
  // What is loaded and compiled for the first connection is no connection's.
  await side.open(0);
  await side.caughtUp(0);
  await pause(SETTLE_MS);
  await side.close(0);
  const base = await collectedMemory();
  const perConnection = (bytes: number): number => bytes / connections / KB;

  const opening = await spanOf(() => inParallel(all, HANDSHAKES, side.open));
  await Promise.all(all.map(side.caughtUp));
  await pause(SETTLE_MS);
  const idle = await collectedMemory();
  const resting = await spanOf(() => pause(idleSeconds * 1_000));

  const sendAll = (text: string): Promise<Span> =>
    spanOf(() =>
      inParallel(all, SENDS_AT_ONCE, (index) => side.send(index, jidOfNumber(contactOf(index)), text)).then(
        () => undefined,
      ),
    );
  const first = await sendAll('first');
  const further: Span[] = [];
  for (let turn = 0; turn < sends; turn += 1) further.push(await sendAll(`message ${turn}`));
  const sent = sumOf(further);

  const writings = all.map((index): Writing => ({
    from: contactOf(index),
    to: place.numbers[index] ?? '',
    count: messages,
  }));
  // The phones have read everything that was sent when they have sealed something new.
  await server.ask('seal', writings);
  const before = (await server.ask('report', undefined)).cpuSeconds;
  const receiving = await receive(side, server);
  const serverCpu = (await server.ask('report', undefined)).cpuSeconds - before;
  await pause(SETTLE_MS);
  const traffic = await collectedMemory();

  await server.ask('seal', [{ from: contactOf(0), to: place.numbers[0] ?? '', count: burst }]);
  const flood = await receive(side, server);

  return {
    connections,
    openSeconds: opening.seconds,
    openCpuMs: opening.cpuMs / connections,
    openLoopP99Ms: opening.p99Ms,
    openLoopMaxMs: opening.maxMs,
    idleKb: perConnection(idle.used - base.used),
    idleRssKb: perConnection(idle.resident),
    idleCpuPercent: resting.cpuMs / resting.seconds / 10,
    firstSendsPerSecond: connections / first.seconds,
    firstSendCpuMs: first.cpuMs / connections,
    sendsPerSecond: (connections * sends) / sent.seconds,
    sendCpuMs: sent.cpuMs / (connections * sends),
    receivedPerSecond: (connections * messages) / receiving.seconds,
    receiveCpuMs: receiving.cpuMs / (connections * messages),
    receiveLoopP99Ms: receiving.p99Ms,
    trafficKb: perConnection(traffic.used - base.used),
    trafficRssKb: perConnection(traffic.resident),
    burstPerSecond: burst / flood.seconds,
    burstLoopP99Ms: flood.p99Ms,
    burstLoopMaxMs: flood.maxMs,
    serverCpuPercent: (serverCpu / receiving.seconds) * 100,
    baseRssMb: base.resident / KB / KB,
  };
}

/** Lets everything that is sealed arrive at once. */
function receive(side: FleetSide, server: TalkingChild<FleetServerAnswers>): Promise<Span> {
  const earlier = side.received();
  return spanOf(async () => {
    const count = await server.ask('release', undefined);
    await until(
      `${count} messages`,
      () => side.received() - earlier,
      (arrived) => arrived >= count,
      TRAFFIC_DEADLINE_MS,
    );
  });
}

async function spanOf(work: () => Promise<unknown>): Promise<Span> {
  const [startedMs, cpu, delay] = [performance.now(), process.cpuUsage(), new LoopDelay()];
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { seconds: (performance.now() - startedMs) / 1_000, cpuMs: (user + system) / 1_000, ...delay.stop() };
}

function sumOf(spans: readonly Span[]): Pick<Span, 'seconds' | 'cpuMs'> {
  return {
    seconds: spans.reduce((sum, { seconds }) => sum + seconds, 0),
    cpuMs: spans.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
  };
}
