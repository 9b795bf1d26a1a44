/**
 * `npm run fuzz`: plaintexts of a hostile contact, drawn from a seed. Most go from the cipher to the log in this machine's
 * memory; a share goes as real messages through simulator, worker, queue, ingest and API. Exits 1 when one is lost,
 * doubled or stops something.
 *
 * `--cases N` (1000000) · `--seed S` (1) · `--processes P` (2) · `--through N` (one in 500): how many go all the way
 */
import { fork } from 'node:child_process';
import { parseArgs } from 'node:util';
import { bringThrough, type ThroughOutcome } from './bringThrough.ts';
import { add, describeFaults, NOTHING_YET, type FuzzFigures } from './fuzzReport.ts';

const SHARE = 500;
const TELL_EVERY_MS = 10_000;

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    processes: { type: 'string', default: '2' },
    through: { type: 'string' },
  },
});
const numberOf = (name: string, text: string, least: number): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least) {
    process.stderr.write(`--${name} must be a whole number of at least ${least}\n`);
    process.exit(2);
  }
  return value;
};
const cases = numberOf('cases', values.cases, 0);
const seed = numberOf('seed', values.seed, 0);
const processes = numberOf('processes', values.processes, 1);
const through = numberOf('through', values.through ?? String(Math.ceil(cases / SHARE)), 0);

const startedMs = performance.now();
const seconds = (): string => `${((performance.now() - startedMs) / 1_000).toFixed(0)} s`;
const say = (line: string): void => void process.stdout.write(`${line}\n`);
say(
  `${cases} plaintexts in ${processes} processes, ${through} of them all the way; seed ${seed}, node ${process.version}`,
);

let figures = NOTHING_YET;
const tell = (): void => say(`${seconds().padStart(8)}  ${figures.cases} brought, ${figures.faults} faults`);
const telling = setInterval(tell, TELL_EVERY_MS);
const [ended, gone] = await Promise.all([
  Promise.all(Array.from({ length: processes }, (_, index) => runChild(index))),
  through === 0 ? undefined : bringThrough(seed, through, (line) => say(`${seconds().padStart(8)}  ${line}`)),
]);
clearInterval(telling);
report(gone, ended.filter((code) => code !== 0).length);

function runChild(index: number): Promise<number> {
  const args = ['--seed', seed, '--first', index, '--step', processes, '--cases', cases].map(String);
  const child = fork(new URL('./fuzzChild.ts', import.meta.url), args);
  child.on('message', (more) => {
    figures = add(figures, more as FuzzFigures);
  });
  return new Promise((resolve) => child.once('close', (code) => resolve(code ?? 1)));
}

function report(went: ThroughOutcome | undefined, crashes: number): void {
  const rows: readonly (readonly [string, number])[] = [
    ['in memory', figures.cases],
    ['  events', figures.events],
    ['  silent (between devices)', figures.silent],
    ['  neighbours heard', figures.neighbours],
    ['  faults', figures.faults],
    ['all the way', went?.cases ?? 0],
    ['  events', went?.events ?? 0],
    ['  silent (between devices)', went?.silent ?? 0],
    ['  neighbours heard', went?.neighbours ?? 0],
    ['  faults', went?.faults.length ?? 0],
    ['crashes', crashes],
  ];
  say('');
  for (const [name, value] of rows) say(`${name.padEnd(30)}${String(value).padStart(10)}`);
  for (const line of [...describeFaults(figures), ...(went?.faults ?? [])]) say(`  ${line}`);
  const isRight = figures.faults + crashes + (went?.faults.length ?? 0) === 0 && figures.cases === cases;
  say(`\n${isRight ? 'held' : 'DID NOT HOLD'} after ${seconds()}; again with --seed ${seed} --cases ${cases}`);
  process.exitCode = isRight ? 0 : 1;
}
