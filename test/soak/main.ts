/**
 * `npm run soak -- --minutes 30`: traffic and churn on some dozens of connections, and what the process holds meanwhile as a
 * table; then the reconnect cycles of one connection. Exits 1 when something grows.
 *
 * `--minutes N` (30) · `--connections N` (30) · `--cycles N` (1000; 0 leaves them out)
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { TalkingChild } from '../bench/childTalk.ts';
import type { ReconnectCyclesAnswers } from './reconnectCycles.ts';
import type { Residue } from './residue.ts';
import { judgeSoak } from './slope.ts';
import type { SoakRunAnswers } from './soakRun.ts';

const MB = 1_024 * 1_024;
/** One socket that stays reachable holds about ten times as much. */
const MOST_BYTES_PER_CYCLE = 8 * 1_024;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    connections: { type: 'string', default: '30' },
    cycles: { type: 'string', default: '1000' },
  },
});
const numberOf = (option: keyof typeof values, least: number): number => {
  const value = Number(values[option]);
  if (!Number.isFinite(value) || value < least) throw new Error(`--${option} must be a number of at least ${least}`);
  return value;
};
const [minutes, connections, cycles] = [numberOf('minutes', 0.5), numberOf('connections', 2), numberOf('cycles', 0)];
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const cells = ({ bytes, timers, handles, listeners, sockets, sessions }: Residue): string =>
  [(bytes / MB).toFixed(1), timers, handles, listeners, sockets, sessions]
    .map((cell) => String(cell).padStart(10))
    .join('');
const HEAD = ['MB', 'timers', 'handles', 'listeners', 'sockets', 'sessions'].map((name) => name.padStart(10)).join('');

say(
  `load of the machine: ${loadavg()
    .map((value) => value.toFixed(1))
    .join(' ')}; node ${process.version}`,
);
const isFlat = await soak();
const isClean = cycles === 0 || (await reconnect());
process.exitCode = isFlat && isClean ? 0 : 1;

async function soak(): Promise<boolean> {
  const child = TalkingChild.start<SoakRunAnswers>(new URL('./soakRun.ts', import.meta.url), {
    node: ['--expose-gc'],
  });
  try {
    const { samples, received, sent, reopened, cutOff } = await child.ask('run', { connections, minutes });
    say(`${connections} connections for ${minutes} minutes: ${received} received, ${sent} sent, ${reopened} reopened`);
    say(`(${cutOff} sends or openings were cut off by a drop)\n\n  minute${HEAD}`);
    for (const sample of samples) say(`${sample.atMinutes.toFixed(1).padStart(8)}${cells(sample)}`);
    say('');
    const verdicts = judgeSoak(samples);
    for (const { what, perHour, most, band, mostBand, holds } of verdicts) {
      const unit = what === 'bytes' ? MB : 1;
      const [growth, bound] = [(perHour / unit).toFixed(1), (most / unit).toFixed(0)];
      const within = `${(band / unit).toFixed(1)} between least and most (or at most ${mostBand / unit})`;
      say(
        `${holds ? 'holds ' : 'GROWS '}  ${what === 'bytes' ? 'MB' : what} per hour: ${growth} (at most ${bound}), ${within}`,
      );
    }
    return verdicts.every(({ holds }) => holds);
  } finally {
    await child.stop();
  }
}

async function reconnect(): Promise<boolean> {
  const child = TalkingChild.start<ReconnectCyclesAnswers>(new URL('./reconnectCycles.ts', import.meta.url), {
    node: ['--expose-gc'],
  });
  try {
    const { before, after } = await child.ask('run', { warmUp: 20, cycles });
    const perCycle = (after.bytes - before.bytes) / cycles;
    say(`\n${cycles} reconnects${HEAD}\n  before${cells(before)}\n   after${cells(after)}`);
    const isClean = after.sockets === 0 && after.sessions === 0 && after.timers <= before.timers;
    const holds =
      isClean &&
      after.handles <= before.handles &&
      after.listeners === before.listeners &&
      perCycle < MOST_BYTES_PER_CYCLE;
    say(
      `${holds ? 'holds ' : 'GROWS '}  bytes per reconnect: ${perCycle.toFixed(0)} (at most ${MOST_BYTES_PER_CYCLE})`,
    );
    return holds;
  } finally {
    await child.stop();
  }
}
