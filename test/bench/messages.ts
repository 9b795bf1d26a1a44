/**
 * `npm run bench:messages`: the whole product on the embedded stack, measured as a tenant would (HTTP in, webhook out), beside a
 * floor in the same run: plain Baileys with a few lines of HTTP in front. Prints a table with goals; exits 1 when one is missed.
 *
 * `--phases floor,pair,rest,send,receive,calls,slow` (all) · `--accounts N` (50) · `--rounds N` (1; medians are shown) ·
 * `--idempotency-keys` with each send · `--json FILE` keeps the figures · `--before FILE` shows those of an earlier run beside
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import type { CountedCalls, CountedKind } from './messagesCalls.ts';
import { holds, inColumns, medianOf, partsOf, rows, short, SHOWN_FROM, stepTable, tableOf } from './messagesFigures.ts';
import type { Figures } from './messagesLoad.ts';
import { PHASES, runRound, type Round } from './messagesRound.ts';

const { values } = parseArgs({
  options: {
    phases: { type: 'string', default: PHASES.join(',') },
    accounts: { type: 'string', default: '50' },
    rounds: { type: 'string', default: '1' },
    'idempotency-keys': { type: 'boolean', default: false },
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
const before = readEarlier();
const options = { phases, accounts: numberOf('accounts'), withKeys: values['idempotency-keys'], say };

say(`${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}; load before: ${loadText()}; node ${process.version}`);
const rounds: Round[] = [];
for (let number = 1; number <= numberOf('rounds'); number += 1) {
  const startedMs = performance.now();
  rounds.push(await runRound(options));
  say(`round ${number} took ${((performance.now() - startedMs) / 1_000).toFixed(0)} s`);
}
const now = medianOf(rounds.map((round) => round.now));
const floor = phases.has('floor') ? medianOf(rounds.map((round) => round.floor)) : undefined;
const counted = rounds.at(-1)?.calls;
if (values.json !== undefined) {
  writeFileSync(values.json, `${JSON.stringify({ now, floor, perMessage: counted?.perMessage }, undefined, 1)}\n`);
}
say('');
for (const line of tableOf({ before, now, floor })) say(line);
showParts();
if (counted !== undefined) showCalls(counted);
say(`\nload after: ${loadText()}`);
process.exitCode = rows.some((row) => holds(row, now) === false) ? 1 : 0;

/** Read before anything is measured: a file that is not there should not cost a run. */
function readEarlier(): Figures | undefined {
  if (values.before === undefined) return undefined;
  return (JSON.parse(readFileSync(values.before, 'utf8')) as { readonly now: Figures }).now;
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
    for (const [column, figures] of [['', now] as const, [' (before)', before] as const]) {
      const parts = partsOf(figures ?? {}, figure).map(([name, value]) => `${name} ${value.toFixed(1)}`);
      if (parts.length > 0) say(`\n${title}${column}: ${parts.join(', ')}`);
    }
  }
}

/** What messages ask of the stores: by who asks, then each operation. */
function showCalls({ perMessage }: CountedCalls): void {
  say('');
  for (const line of stepTable(before, now)) say(line);
  const titles: Readonly<Record<CountedKind, string>> = { send: 'send', read: 'it is read', receive: 'received' };
  const lines = (['send', 'read', 'receive'] as const).flatMap((kind) =>
    perMessage[kind]
      .filter(({ calls }) => calls >= SHOWN_FROM)
      .toSorted((left, right) => right.calls - left.calls)
      .map(({ caller, operation, calls, writeUnits, readUnits, queueRequests, bytes }) => [
        titles[kind],
        caller,
        operation,
        ...[calls, writeUnits, readUnits, queueRequests, bytes / 1_024].map(short),
      ]),
  );
  say('');
  const head = ['for a', 'by', 'operation', 'calls', 'write units', 'read units', 'SQS requests', 'KB'];
  for (const line of inColumns([head, ...lines])) say(line);
}

function loadText(): string {
  return loadavg()
    .map((value) => value.toFixed(1))
    .join(' ');
}
