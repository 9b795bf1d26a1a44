/**
 * `npm run bench:fleet`: a thousand connections in one process, ours beside plain Baileys with its defaults, in the same run:
 * each side in a process of its own against a WhatsApp simulator in another, over TLS that a third one ends, with stores in
 * memory that take the same time. Exits 1 when a goal is missed.
 *
 * `--connections N` (1000) · `--rounds N` (3; medians are shown) · `--sends N` (3) · `--messages N` (10), per connection ·
 * `--burst N` (5000) · `--latency MS` (5) · `--idle SECONDS` (10) · `--no-tls` · `--only ours|plain`
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { WORKER_NODE_FLAGS } from '../../shared/platform/workerNodeFlags.ts';
import { makeCertificate } from '../shared/webhook/certificate.ts';
import { TalkingChild } from './childTalk.ts';
import type { FleetClientAnswers, SideName } from './fleetClient.ts';
import { judgeFleet, medianOf, tableOf, type FleetFigures } from './fleetFigures.ts';

const CONNECTIONS_PER_CONTACT = 25;

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '3' },
    sends: { type: 'string', default: '3' },
    messages: { type: 'string', default: '10' },
    burst: { type: 'string', default: '5000' },
    latency: { type: 'string', default: '5' },
    idle: { type: 'string', default: '10' },
    'no-tls': { type: 'boolean', default: false },
    only: { type: 'string' },
  },
});
const numberOf = (option: 'connections' | 'rounds' | 'sends' | 'messages' | 'burst' | 'latency' | 'idle'): number => {
  const value = Number(values[option]);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${option} must be a whole number above 0`);
  return value;
};
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const names = (['ours', 'plain'] as const).filter((name) => values.only === undefined || values.only === name);
const [connections, rounds, latencyMs] = [numberOf('connections'), numberOf('rounds'), numberOf('latency')];
const load = {
  connections,
  sends: numberOf('sends'),
  messages: numberOf('messages'),
  burst: numberOf('burst'),
  idleSeconds: numberOf('idle'),
};

const folder = mkdtempSync(join(tmpdir(), 'fleet-'));
const { cert: certificate, key } = makeCertificate();
const authority = join(folder, 'authority.pem');
writeFileSync(authority, certificate);
const found: Record<SideName, FleetFigures[]> = { ours: [], plain: [] };
say(
  `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}; load of the machine before: ${loadText()}; node ${process.version}`,
);
say(
  `${connections} connections, ${rounds} round(s), ${values['no-tls'] ? 'without TLS' : 'over TLS'}, each call to a store ${latencyMs} ms\n`,
);
try {
  for (let round = 0; round < rounds; round += 1) for (const name of names) found[name].push(await run(name));
} finally {
  rmSync(folder, { recursive: true });
}
const medians = names.map((name) => [name === 'ours' ? 'Holdfast' : 'plain Baileys', medianOf(found[name])] as const);
for (const line of tableOf(medians)) say(line);
say(`\nload of the machine after: ${loadText()}`);
if (values.only === undefined) process.exitCode = judge() ? 0 : 1;

async function run(side: SideName): Promise<FleetFigures> {
  const client = TalkingChild.start<FleetClientAnswers>(new URL('./fleetClient.ts', import.meta.url), {
    // Each as it is run: plain Baileys has node's defaults.
    node: ['--expose-gc', ...(side === 'ours' ? WORKER_NODE_FLAGS : [])],
    env: { NODE_EXTRA_CA_CERTS: authority },
  });
  try {
    const contacts = Math.ceil(connections / CONNECTIONS_PER_CONTACT);
    const tls = values['no-tls'] ? undefined : { certificate, key };
    return await client.ask('run', { side, load, contacts, latencyMs, tls });
  } finally {
    await client.stop();
  }
}

function judge(): boolean {
  const verdicts = judgeFleet(medianOf(found.ours), medianOf(found.plain));
  for (const { goal, value, bound, holds, isMeant } of verdicts) {
    const word = isMeant ? (holds ? 'holds ' : 'MISSED') : '  -   ';
    say(`${word}  ${goal} ${bound}: ${value.toFixed(2)}`);
  }
  return verdicts.every(({ holds, isMeant }) => holds || !isMeant);
}

function loadText(): string {
  return loadavg()
    .map((value) => value.toFixed(1))
    .join(' ');
}
