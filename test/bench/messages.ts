/**
 * `npm run bench:messages`: the whole product on the embedded stack, measured as a tenant would (HTTP in, webhook out), beside a
 * floor in the same run: plain Baileys with a few lines of HTTP in front. Prints a table with goals; exits 1 when one is missed.
 *
 * `--phases floor,pair,rest,send,receive,calls,slow` (all) · `--accounts N` (50) · `--rounds N` (1; medians are shown) ·
 * `--json FILE` keeps the figures · `--before FILE` shows those of an earlier run beside
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { countCalls, type CountedCalls, type CountedKind } from './messagesCalls.ts';
import { holds, inColumns, medianOf, partsOf, rows, tableOf, withSums } from './messagesFigures.ts';
import { linkAccounts, receive, sendByCallers, sendPaced, warmUp, type Figures } from './messagesLoad.ts';
import { cpuBetween } from './messagesProcesses.ts';
import { startFloor, startProduct, type MessagesSide } from './messagesSide.ts';

const PHASES = ['floor', 'pair', 'rest', 'send', 'receive', 'calls', 'slow'] as const;
type Phase = (typeof PHASES)[number];

const CALLERS = { callers: 20, most: 1_000, seconds: 5 } as const;
const PACED = { perSecond: 100, count: 400 } as const;
const RATES = [
  { perSecond: 30, count: 120 },
  { perSecond: 100, count: 400 },
  { perSecond: 300, count: 1_200 },
] as const;
const BURST = 1_000;
const COUNTED = { accounts: 20, count: 400 } as const;
const SLOW_MS = 2_000;
const SETTLE_MS = 5_000;
const REST_MS = 10_000;
/** Parts of a sum that are too small to be shown. */
const SHOWN_FROM = 0.02;

const { values } = parseArgs({
  options: {
    phases: { type: 'string', default: PHASES.join(',') },
    accounts: { type: 'string', default: '50' },
    rounds: { type: 'string', default: '1' },
    json: { type: 'string' },
    before: { type: 'string' },
  },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const numberOf = (option: 'accounts' | 'rounds'): number => {
  const value = Number(values[option]);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${option} must be a whole number above 0`);
  return value;
};
const phases = new Set(
  values.phases.split(',').map((name) => {
    const phase = PHASES.find((known) => known === name.trim());
    if (phase === undefined) throw new Error(`--phases knows ${PHASES.join(', ')}; not ${name}`);
    return phase;
  }),
);
const has = (...wanted: readonly Phase[]): boolean => wanted.some((phase) => phases.has(phase));
const [accounts, roundCount] = [numberOf('accounts'), numberOf('rounds')];
const load = (): string =>
  loadavg()
    .map((value) => value.toFixed(1))
    .join(' ');

interface Round {
  readonly now: Figures;
  readonly floor: Figures;
  readonly calls: CountedCalls | undefined;
}

say(
  `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}; load of the machine before: ${load()}; node ${process.version}`,
);
const rounds: Round[] = [];
for (let number = 1; number <= roundCount; number += 1) {
  const startedMs = performance.now();
  rounds.push(await runRound());
  say(`round ${number} of ${roundCount} took ${((performance.now() - startedMs) / 1_000).toFixed(0)} s`);
}
const now = medianOf(rounds.map((round) => round.now));
const floor = has('floor') ? medianOf(rounds.map((round) => round.floor)) : undefined;
const kept = { now, floor };
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(kept, undefined, 1)}\n`);
const before =
  values.before === undefined ? undefined : (JSON.parse(readFileSync(values.before, 'utf8')) as typeof kept).now;
say('');
for (const line of tableOf({ before, now, floor })) say(line);
showParts();
const counted = rounds.at(-1)?.calls;
if (counted !== undefined) showCalls(counted);
say(`\nload of the machine after: ${load()}`);
process.exitCode = rows.some((row) => holds(row, now) === false) ? 1 : 0;

async function runRound(): Promise<Round> {
  const floorFigures =
    has('floor') && has('pair', 'rest', 'send', 'receive') ? await runSide('floor', await startFloor()) : {};
  const figures: Record<string, number> = {};
  if (has('pair', 'rest', 'send', 'receive')) {
    Object.assign(figures, await runSide('product', await startProduct({ counting: false })));
  }
  const calls = has('calls') ? await phase('calls', () => countCalls(COUNTED)) : undefined;
  Object.assign(figures, calls?.figures);
  if (has('slow')) Object.assign(figures, await phase('slow', pairSlowly));
  return { now: withSums(figures), floor: withSums(floorFigures), calls };
}

async function runSide(name: string, side: MessagesSide): Promise<Figures> {
  const figures: Record<string, number> = {};
  try {
    const linked = await phase(`${name}: pair`, () => linkAccounts(side, { accounts, atOnce: accounts }));
    Object.assign(figures, { pairSeconds: linked.seconds, pairLost: linked.lost });
    if (has('rest')) Object.assign(figures, await phase(`${name}: rest`, () => rest(side)));
    if (has('send', 'receive')) await phase(`${name}: warm-up`, () => warmUp(side, linked.accounts));
    if (has('send')) {
      Object.assign(figures, await phase(`${name}: send`, () => sendByCallers(side, linked.accounts, CALLERS)));
      Object.assign(figures, (await phase(`${name}: paced`, () => sendPaced(side, linked.accounts, PACED))).figures);
    }
    if (has('receive')) {
      for (const rate of [...RATES, { perSecond: undefined, count: BURST }]) {
        const label = `${name}: receive ${rate.perSecond ?? 'burst'}`;
        Object.assign(figures, await phase(label, () => receive(side, linked.accounts, rate)));
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

async function pairSlowly(): Promise<Figures> {
  const side = await startProduct({ counting: true });
  try {
    await side.slowStores(SLOW_MS);
    const { seconds, lost } = await linkAccounts(side, { accounts, atOnce: accounts });
    return { slowPairSeconds: seconds, slowPairLost: lost };
  } finally {
    await side.slowStores(0);
    await side.stop();
  }
}

async function phase<Result>(name: string, run: () => Promise<Result>): Promise<Result> {
  const startedMs = performance.now();
  const result = await run();
  say(`  ${name}: ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`);
  return result;
}

function showParts(): void {
  const titles = {
    sendCpuMs: 'CPU for a send, 20 callers, ms',
    pacedCpuMs: 'CPU for a send, 100 a second, ms',
    in100CpuMs: 'CPU for a message received, 100 a second, ms',
    burstCpuMs: 'CPU for a message received, burst, ms',
    restMb: 'at rest: resident, MB',
    restCpu: 'at rest: CPU, % of a core',
    restCalls: 'at rest: calls a second',
  } as const;
  for (const [figure, title] of Object.entries(titles)) {
    const parts = partsOf(now, figure).map(([name, value]) => `${name} ${value.toFixed(1)}`);
    if (parts.length > 0) say(`\n${title}: ${parts.join(', ')}`);
  }
}

function showCalls({ perMessage, figures }: CountedCalls): void {
  const titles: Readonly<Record<CountedKind, string>> = {
    send: 'for a send with `sent` and `delivered`',
    read: 'for a message that is read',
    receive: 'for a message received',
  };
  const digits = (value: number): string => (value < SHOWN_FROM / 4 ? '' : value.toFixed(2));
  const cells = (name: string, parts: readonly (number | undefined)[]): readonly string[] => [
    name,
    ...parts.map((value) => digits(value ?? 0)),
  ];
  for (const kind of ['send', 'read', 'receive'] as const) {
    const names = ['Calls', 'WriteUnits', 'ReadUnits', 'QueueRequests', 'Kb'];
    const callers = partsOf(figures, `${kind}Calls`).map(([caller]) => caller);
    const lines = callers.flatMap((caller) => [
      cells(
        `**${caller}**`,
        names.map((name) => figures[`${kind}${name}:${caller}`]),
      ),
      ...perMessage[kind]
        .filter((entry) => entry.caller === caller && entry.calls >= SHOWN_FROM)
        .toSorted((left, right) => right.calls - left.calls)
        .map(({ operation, calls, writeUnits, readUnits, queueRequests, bytes }) =>
          cells(operation, [calls, writeUnits, readUnits, queueRequests, bytes / 1_024]),
        ),
    ]);
    const head = [titles[kind], 'calls', 'write units', 'read units', 'SQS requests', 'KB'];
    say('');
    for (const line of inColumns([
      head,
      cells(
        '**all**',
        names.map((name) => figures[`${kind}${name}`]),
      ),
      ...lines,
    ]))
      say(line);
  }
}
