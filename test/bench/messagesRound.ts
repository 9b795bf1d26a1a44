import { setTimeout as sleep } from 'node:timers/promises';
import { countCalls, type CountedCalls } from './messagesCalls.ts';
import { withSums } from './messagesFigures.ts';
import { linkAccounts, receive, sendByCallers, sendPaced, warmUp, type Figures } from './messagesLoad.ts';
import { cpuBetween } from './messagesProcesses.ts';
import { startFloor, startProduct, type MessagesSide } from './messagesSide.ts';

export const PHASES = ['floor', 'pair', 'rest', 'send', 'receive', 'calls', 'slow'] as const;
export type Phase = (typeof PHASES)[number];

export interface RoundOptions {
  readonly phases: ReadonlySet<Phase>;
  readonly accounts: number;
  readonly withKeys: boolean;
  readonly say: (line: string) => void;
}

/** What one round showed. */
export interface Round {
  readonly now: Figures;
  readonly floor: Figures;
  readonly calls: CountedCalls | undefined;
}

const CALLERS = { callers: 20, most: 1_000, seconds: 5 } as const;
const PACED = { perSecond: 100, count: 400 } as const;
const RATES = [
  { perSecond: 30, count: 120 },
  { perSecond: 100, count: 400 },
  { perSecond: 300, count: 1_200 },
] as const;
const BURST = { perSecond: undefined, count: 1_000 } as const;
const COUNTED = { accounts: 20, count: 400 } as const;
const SLOW_MS = 2_000;
const SETTLE_MS = 5_000;
const REST_MS = 10_000;

/** The floor and the product one after the other, each alone on the machine; then what is counted, and what is slow. */
export async function runRound(options: RoundOptions): Promise<Round> {
  const { phases, accounts, withKeys } = options;
  const isAny = (...wanted: readonly Phase[]): boolean => wanted.some((phase) => phases.has(phase));
  const isTimed = isAny('pair', 'rest', 'send', 'receive');
  const floor = isTimed && isAny('floor') ? await runSide('floor', await startFloor(), options) : {};
  const timed = isTimed ? await runSide('product', await startProduct({ counting: false, withKeys }), options) : {};
  const calls = isAny('calls')
    ? await timedPhase(options, 'calls', () => countCalls({ ...COUNTED, withKeys }))
    : undefined;
  const slow = isAny('slow') ? await timedPhase(options, 'slow', () => pairSlowly(accounts)) : {};
  return { now: withSums({ ...timed, ...calls?.figures, ...slow }), floor: withSums(floor), calls };
}

async function runSide(name: string, side: MessagesSide, options: RoundOptions): Promise<Figures> {
  const { phases, accounts: count } = options;
  const phase = <Result>(label: string, run: () => Promise<Result>): Promise<Result> =>
    timedPhase(options, `${name}: ${label}`, run);
  const figures: Record<string, number> = {};
  try {
    const { accounts, seconds, lost, cpuMs } = await phase('pair', () =>
      linkAccounts(side, { accounts: count, atOnce: count }),
    );
    Object.assign(figures, { pairSeconds: seconds, pairLost: lost, pairCpuMs: cpuMs });
    if (phases.has('rest')) Object.assign(figures, await phase('rest', () => rest(side)));
    if (phases.has('send') || phases.has('receive')) await phase('warm-up', () => warmUp(side, accounts));
    if (phases.has('send')) {
      Object.assign(figures, await phase('send', () => sendByCallers(side, accounts, CALLERS)));
      Object.assign(figures, (await phase('paced', () => sendPaced(side, accounts, PACED))).figures);
    }
    if (phases.has('receive')) {
      for (const rate of [...RATES, BURST]) {
        const label = `receive ${rate.perSecond ?? 'burst'}`;
        Object.assign(figures, await phase(label, () => receive(side, accounts, rate)));
      }
    }
    return { ...figures, repeats: side.receiver.repeats, forged: side.receiver.forged };
  } finally {
    await side.stop();
  }
}

/** Memory and CPU of all processes while nothing happens. */
async function rest(side: MessagesSide): Promise<Figures> {
  await sleep(SETTLE_MS);
  const before = side.processes();
  await sleep(REST_MS);
  const after = side.processes();
  const cpu = [...cpuBetween(before, after)].map(([name, ms]) => [name, (ms / REST_MS) * 100] as const);
  const memory = [...Map.groupBy(after, ({ name }) => name)].map(
    ([name, views]) => [name, views.reduce((sum, { residentMb }) => sum + residentMb, 0)] as const,
  );
  const sumOf = (parts: readonly (readonly [string, number])[], isMeant: (name: string) => boolean): number =>
    parts.reduce((sum, [name, value]) => sum + (isMeant(name) ? value : 0), 0);
  const [all, own] = [() => true, (name: string) => name !== 'whatsapp'];
  return {
    restMb: sumOf(memory, all),
    restOwnMb: sumOf(memory, own),
    restCpu: sumOf(cpu, all),
    restOwnCpu: sumOf(cpu, own),
    ...Object.fromEntries(memory.map(([name, value]) => [`restMb:${name}`, value])),
    ...Object.fromEntries(cpu.map(([name, value]) => [`restCpu:${name}`, value])),
  };
}

async function pairSlowly(count: number): Promise<Figures> {
  const side = await startProduct({ counting: true, withKeys: false });
  try {
    await side.slowStores(SLOW_MS);
    const { seconds, lost } = await linkAccounts(side, { accounts: count, atOnce: count });
    return { slowPairSeconds: seconds, slowPairLost: lost };
  } finally {
    await side.slowStores(0);
    await side.stop();
  }
}

async function timedPhase<Result>({ say }: RoundOptions, name: string, run: () => Promise<Result>): Promise<Result> {
  const startedMs = performance.now();
  const result = await run();
  say(`  ${name}: ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`);
  return result;
}
