/**
 * `npm run simulate`: fleets in virtual time, each from a seed, each with faults drawn from the seed.
 *
 *   npm run simulate -- --seeds 10000            so many seeds, from 1 on (or from --from), on --processes processes
 *   npm run simulate -- --seed 4711              one seed, with its timeline
 *   npm run simulate -- --seed 7 --variant NAME  a deliberately broken protocol (--variant list names them)
 *   npm run simulate -- --day                    a day offline: 20 hand-offs and 12 deploys
 *
 * Exits 1 when a promise was broken, and prints the command that shows the run again.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { simulateDayOffline } from './dayOffline.ts';
import { simulate, type SimulationResult } from './simulate.ts';
import { brokenVariants, correct, type Variant } from './variants.ts';

const MS_PER_HOUR = 3_600_000;
const SHOWN_VIOLATIONS = 10;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    variant: { type: 'string' },
    processes: { type: 'string', default: '2' },
    day: { type: 'boolean', default: false },
  },
});

/** What many runs add up to. */
interface Totals {
  seeds: number;
  simulatedMs: number;
  faults: number;
  commits: number;
  stanzas: number;
  claims: number;
  gives: number;
  releases: number;
  late: number;
  accepted: number;
  written: number;
  logins: number;
  replaced: number;
  resent: number;
  broken: { readonly seed: number; readonly violations: readonly string[] }[];
}

const noTotals = (): Totals => ({
  seeds: 0,
  simulatedMs: 0,
  faults: 0,
  commits: 0,
  stanzas: 0,
  claims: 0,
  gives: 0,
  releases: 0,
  late: 0,
  accepted: 0,
  written: 0,
  logins: 0,
  replaced: 0,
  resent: 0,
  broken: [],
});

const ADDED = [
  'commits',
  'stanzas',
  'claims',
  'gives',
  'releases',
  'late',
  'accepted',
  'written',
  'logins',
  'replaced',
  'resent',
] as const;

if (process.send !== undefined) await runShare();
else process.exitCode = (await runAsAsked()) ? 0 : 1;

async function runAsAsked(): Promise<boolean> {
  if (values.variant === 'list') {
    for (const { name, fault } of brokenVariants) say(`${name.padEnd(36)} ${fault}`);
    return true;
  }
  if (values.day) return showOne(await simulateDayOffline(1));
  if (values.seed !== undefined) return showOne(await simulate({ seed: numberOf('seed'), variant: variantOf() }));
  return runMany();
}

function showOne({ seed, timeline, violations, counts, simulatedMs }: SimulationResult): boolean {
  for (const line of timeline) say(line);
  say(`\nseed ${seed}: ${(simulatedMs / 1_000).toFixed(0)} simulated seconds, ${JSON.stringify(counts)}`);
  say(violations.length === 0 ? 'no promise was broken' : `${violations.length} promises were broken`);
  return violations.length === 0;
}

/** Shares the seeds out to processes: virtual time is one thread's. */
async function runMany(): Promise<boolean> {
  const startedMs = performance.now();
  const [from, seeds, processes] = [numberOf('from'), numberOf('seeds'), numberOf('processes')];
  const totals = noTotals();
  const shares = Array.from({ length: processes }, async (_, index) => {
    const share = await runInChild({ first: from + index, step: processes, last: from + seeds - 1 });
    const { broken, ...counts } = share;
    for (const [name, value] of Object.entries(counts)) totals[name as keyof typeof counts] += value;
    totals.broken.push(...broken);
  });
  await Promise.all(shares);
  const { broken, simulatedMs, ...counts } = totals;
  say(
    `simulated hours ${(simulatedMs / MS_PER_HOUR).toFixed(1)}, in ${((performance.now() - startedMs) / 1_000).toFixed(0)} s`,
  );
  for (const [name, value] of Object.entries(counts)) say(`${name.padEnd(12)} ${value}`);
  say(`violations   ${broken.length} seeds`);
  for (const { seed, violations } of broken) {
    say(`\nnpm run simulate -- --seed ${seed}`);
    for (const line of violations.slice(0, SHOWN_VIOLATIONS)) say(`  ${line}`);
  }
  return broken.length === 0;
}

interface Share {
  readonly first: number;
  readonly step: number;
  readonly last: number;
}

function runInChild(share: Share): Promise<Totals> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(import.meta.url), ['--from', '1']);
    child.once('message', (message) => resolve(message as Totals));
    child.once('exit', (code) => {
      if (code !== 0) reject(new Error(`a simulating process ended with ${code}`));
    });
    child.send(share);
  });
}

async function runShare(): Promise<void> {
  const { first, step, last } = await new Promise<Share>((resolve) => {
    process.once('message', (message) => resolve(message as Share));
  });
  const totals = noTotals();
  for (let seed = first; seed <= last; seed += step) {
    const { violations, simulatedMs, faults, counts } = await simulate({ seed });
    totals.seeds += 1;
    totals.simulatedMs += simulatedMs;
    totals.faults += faults.length;
    for (const name of ADDED) totals[name] += counts[name];
    if (violations.length > 0) {
      totals.broken.push({ seed, violations: violations.map(({ promise, what }) => `${promise}: ${what}`) });
    }
  }
  process.send?.(totals);
  process.disconnect();
}

function variantOf(): Variant {
  if (values.variant === undefined) return correct;
  const found = brokenVariants.find(({ name }) => name === values.variant);
  if (found === undefined) throw new Error(`There is no variant ${values.variant}. --variant list names them.`);
  return found;
}

function numberOf(name: 'seeds' | 'from' | 'seed' | 'processes'): number {
  const value = Number(values[name]);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} must be a whole number from 1 on.`);
  return value;
}
