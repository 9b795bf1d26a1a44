/** `npm run chaos`: real workers with many accounts, a fault in each case, and a table of what it cost. */
import { appendFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { WORKER_TIMINGS } from '../../infra/local/timings.ts';
import { workerConfig } from '../../shared/platform/config.ts';
import { chaosCases, type Budgets, type ChaosCase } from './cases.ts';
import { bootFleet, type FleetOptions, type FleetUnderTest } from './fleetUnderTest.ts';
import { runCase, type Row } from './runCase.ts';
import { isGood, tableHead, tableRow, verdictLines } from './table.ts';

const USAGE = `npm run chaos -- [--case NAME[,NAME]] [--connections 100] [--workers 3] [--timings production|quick]
                 [--rounds 1] [--rate N] [--shards N] [--json FILE] [--verbose]

  --case         which cases; all if left out
  --connections  accounts that are linked and used
  --timings      production: the worker's defaults; quick: those of npm start
  --rounds       how often each case runs
  --rate         messages a second, each way; each account has a turn every 20 s if left out
  --shards       a shard for 25 connections, at least 8, if left out; each has room for 50
  --json         appends each row to a file, one JSON object per line
  --verbose      shows what workers have to complain about

cases:
${chaosCases.map(({ name, what }) => `  ${name.padEnd(26)} ${what}`).join('\n')}
`;
const TURN_SECONDS = 20;
const CONNECTIONS_PER_SHARD = 25;
const SHARD_CAP = 50;
const FEWEST_SHARDS = 8;

interface Options extends Omit<FleetOptions, 'say'> {
  readonly cases: readonly ChaosCase[];
  readonly rounds: number;
  readonly perSecond: number;
  readonly json: string | undefined;
  readonly isVerbose: boolean;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const options = readOptions();
// The fleet kills its processes when this one exits, however that comes about.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));
process.exit((await run()) ? 0 : 1);

/** Whether all that was expected holds. */
async function run(): Promise<boolean> {
  const budgets = readBudgets();
  say(headline(budgets));
  const rows: Row[] = [];
  const failures: string[] = [];
  let fleet: FleetUnderTest | undefined;
  let isFirst = true;
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const chaosCase of options.cases) {
      try {
        fleet ??= await boot();
        if (isFirst) say(tableHead());
        isFirst = false;
        const { workers, perSecond } = options;
        const row = await Promise.race([
          runCase(chaosCase, { fleet, round, workers, perSecond, budgets }),
          fleet.broken,
        ]);
        rows.push(row);
        say(tableRow(row));
        if (options.json !== undefined)
          appendFileSync(options.json, `${JSON.stringify({ ...about(budgets), ...row })}\n`);
        // What did not come to an end would go on in the next case.
        if (row.problems.length > 0) fleet = await stop(fleet, true);
      } catch (error) {
        failures.push(`${chaosCase.name} (round ${round}) did not run: ${(error as Error).message}`);
        if (fleet !== undefined) fleet = await stop(fleet, true);
      }
    }
  }
  const isAllGood = failures.length === 0 && rows.every(isGood);
  if (fleet !== undefined) await stop(fleet, !isAllGood);
  say('');
  for (const row of rows) say(verdictLines(row));
  for (const failure of failures) say(failure);
  return isAllGood;
}

async function boot(): Promise<FleetUnderTest> {
  const startedMs = performance.now();
  const fleet = await bootFleet({ ...options, say: options.isVerbose ? (line) => say(`  ${line}`) : () => undefined });
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(0);
  say(`  ${fleet.accounts.length} accounts are online, ${seconds} s after the start; logs: ${fleet.stack.logs}`);
  return fleet;
}

async function stop(fleet: FleetUnderTest, keepLogs: boolean): Promise<undefined> {
  if (keepLogs) say(`  logs are kept: ${fleet.stack.logs}`);
  // The rows are worth more than an orderly end.
  await fleet.stop(keepLogs).catch((error: unknown) => {
    say(`  it did not stop in order: ${(error as Error).message}`);
    fleet.stack.kill();
  });
  return undefined;
}

/** Reads the budgets as the workers will read them. */
function readBudgets(): Budgets {
  const { ownership, connections } = workerConfig({
    HOLDFAST_STAGE: 'local',
    HOLDFAST_QUEUE_URL_BASE: 'http://127.0.0.1/',
    HOLDFAST_TASK_ID: 'none',
    HOLDFAST_KEY_FILE: 'none',
    ...WORKER_TIMINGS[options.timings === 'production' ? 'production' : 'local'],
  });
  const { heartbeatMs, fenceMs, deathMs, opensPerSecond } = ownership;
  return {
    heartbeatMs,
    fenceMs,
    deathMs,
    opensPerSecond,
    opensAtOnce: SHARD_CAP,
    commandWaitSeconds: connections.commandWaitSeconds,
  };
}

function about(budgets: Budgets) {
  const { connections, workers, shards, timings, perSecond } = options;
  return { at: new Date().toISOString(), connections, workers, shards, timings, perSecond, budgets };
}

function headline({ heartbeatMs, fenceMs, deathMs, opensPerSecond, commandWaitSeconds }: Budgets): string {
  const { connections, workers, shards, timings, perSecond } = options;
  return [
    `timings ${timings}: heartbeat ${heartbeatMs / 1_000} s, fence ${fenceMs / 1_000} s, death ${deathMs / 1_000} s, ` +
      `command wait ${commandWaitSeconds} s, opens ${opensPerSecond}/s per worker`,
    `${connections} connections on ${shards} shards, ${workers} workers, ${perSecond} messages/s each way`,
  ].join('\n');
}

function readOptions(): Options {
  try {
    const { values } = parseArgs({
      options: {
        case: { type: 'string' },
        connections: { type: 'string', default: '100' },
        workers: { type: 'string', default: '3' },
        timings: { type: 'string', default: 'production' },
        rounds: { type: 'string', default: '1' },
        rate: { type: 'string' },
        shards: { type: 'string' },
        json: { type: 'string' },
        verbose: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      say(USAGE);
      return process.exit(0);
    }
    const { timings, json } = values;
    if (timings !== 'production' && timings !== 'quick') throw new Error('--timings must be production or quick.');
    const connections = wholeNumber('--connections', values.connections, 1, 2_000);
    const fewest = Math.max(FEWEST_SHARDS, Math.ceil(connections / CONNECTIONS_PER_SHARD));
    const shards = values.shards === undefined ? fewest : wholeNumber('--shards', values.shards, 1, 500);
    if (shards * SHARD_CAP < connections) throw new Error(`--shards must be at least ${connections / SHARD_CAP}.`);
    const rate = values.rate === undefined ? Math.max(1, connections / TURN_SECONDS) : Number(values.rate);
    if (!(rate > 0 && rate <= 1_000)) throw new Error('--rate must be more than 0 and at most 1000.');
    return {
      cases: findCases(values.case),
      connections,
      shards,
      timings,
      workers: wholeNumber('--workers', values.workers, 2, 8),
      rounds: wholeNumber('--rounds', values.rounds, 1, 1_000),
      perSecond: rate,
      json,
      isVerbose: values.verbose,
    };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}`);
    return process.exit(1);
  }
}

function findCases(names: string | undefined): readonly ChaosCase[] {
  if (names === undefined) return chaosCases;
  return names.split(',').map((name) => {
    const found = chaosCases.find((candidate) => candidate.name === name);
    if (found === undefined) throw new Error(`There is no case ${name}.`);
    return found;
  });
}

function wholeNumber(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most)
    throw new Error(`${option} must be a whole number from ${least} to ${most}.`);
  return value;
}
