import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import QRCode from 'qrcode';
import { ConnectionStore } from '../shared/connection/connectionStore.ts';
import { createOperatorKey } from '../shared/identity/apiKey.ts';
import { systemRandom } from '../shared/kernel/random.ts';
import { makeDocumentClient, makeQueueClient } from '../shared/platform/aws.ts';
import type { Surroundings } from '../shared/platform/surroundings.ts';
import { wholeNumber, whoAsks, type AwsCommandName, type CommandLine, type CommandName } from './commandLine.ts';
import { drain } from './drain.ts';
import { healthLines, judgeHealth } from './health.ts';
import { queueKinds, type QueueKind } from './queueDepths.ts';
import { readFleet } from './readFleet.ts';
import { readState } from './readState.ts';
import { readTenantLog } from './readTenantLog.ts';
import { redrive } from './redrive.ts';
import { reportLines } from './report.ts';
import { scaleLines } from './scale.ts';
import { BadInput, counted } from './sentence.ts';
import { smoke } from './smoke.ts';
import { statusLines } from './status.ts';
import { tail } from './tail.ts';
import { readKeyFile, type Target } from './target.ts';
import { generationLines, versionLines } from './version.ts';
import { whatsAppVersion } from './whatsAppVersion.ts';

export interface Run extends Pick<Surroundings, 'clock'> {
  readonly line: CommandLine;
  readonly target: Target;
  readonly say: (line: string) => void;
}

/** The number of API calls by which `report` measures its response time. */
const CALLS = 10;
const MOST_LETTERS = 100_000;
const MOST_CONNECTIONS = 10_000_000;

/** Runs a command. Resolves to the exit code; throws BadInput and Failed with one sentence. */
export function runCommand(run: Run, command: Exclude<CommandName, AwsCommandName>): Promise<number> {
  return runs[command](run);
}

const runs: Readonly<Record<Exclude<CommandName, AwsCommandName>, (run: Run) => Promise<number>>> = {
  status: async ({ target, clock, say }) => {
    for (const text of statusLines(await readState(target, clock.nowMs))) say(text);
    return 0;
  },
  health: async ({ target, clock, say }) => {
    const state = await readState(target, clock.nowMs);
    for (const text of healthLines(state)) say(text);
    return judgeHealth(state).some(({ verdict }) => verdict === 'bad') ? 1 : 0;
  },
  report: async ({ line, target, clock, say }) => {
    const { 'tenant-key-file': keyFile, after } = line.flags;
    if (after !== undefined && keyFile === undefined) throw new BadInput('--after needs --tenant-key-file.');
    const key = keyFile === undefined ? undefined : readKeyFile(keyFile);
    const times: number[] = [];
    let fleet = await readFleet(target);
    for (let call = 0; call < CALLS; call += 1) {
      const startedMs = clock.monotonicMs();
      fleet = await readFleet(target);
      times.push(clock.monotonicMs() - startedMs);
    }
    const log = key === undefined ? undefined : await readTenantLog(target.api().url, key, after);
    for (const text of reportLines(fleet, times, log, clock.nowMs())) say(text);
    return 0;
  },
  tail: async ({ line, target, clock, say }) => {
    const { 'tenant-key-file': keyFile, type: types, after } = line.flags;
    if (keyFile === undefined)
      throw new BadInput('--tenant-key-file must name the key of the tenant whose events they are.');
    const colours = process.stdout.isTTY && process.stdout.hasColors();
    await tail({ url: target.api().url, key: readKeyFile(keyFile), types, after, colours, clock, say });
    return 0;
  },
  drain: async (run) => {
    await drain(run, run.line.subject ?? '', { wait: run.line.wait });
    return 0;
  },
  redrive: redriveAll,
  scale: async ({ line, target, say }) => {
    const wanted = wholeNumber(line, 'connections', 1, MOST_CONNECTIONS);
    for (const text of scaleLines(await readFleet(target), wanted)) say(text);
    return 0;
  },
  'whatsapp-version': async ({ line, target, say }) => {
    for (const text of await whatsAppVersion(line, target)) say(text);
    return 0;
  },
  version: async ({ target, say }) => {
    for (const text of versionLines()) say(text);
    if (!target.hasApi) return 0;
    for (const text of generationLines(await readFleet(target))) say(text);
    return 0;
  },
  'create-operator-key': async ({ target, clock, say }) => {
    const config = target.stores();
    const table = makeDocumentClient(config);
    try {
      const { keyId, secret } = await createOperatorKey({ table, stage: config.stage, clock, random: systemRandom });
      say(`${keyId}  ${secret.reveal()}`);
      say('Shown this once; only its hash is stored.');
    } finally {
      table.destroy();
    }
    return 0;
  },
  smoke: async ({ target, clock, say }) => {
    await smoke({
      target,
      clock,
      say,
      showQr: async (qr) => say(await QRCode.toString(qr, { type: 'terminal', small: true })),
    });
    return 0;
  },
  // The restore runs in a process of its own: it is the worker's code with the worker's configuration, and reports by
  // itself what is wrong.
  restore: async ({ target: { restoreEnvironment: env } }) => {
    const file = resolve(import.meta.dirname, '../worker/restore.ts');
    const child = spawn(process.execPath, [file], { stdio: 'inherit', ...(env === undefined ? {} : { env }) });
    const [code] = (await once(child, 'close')) as [number | null];
    return code ?? 1;
  },
};

async function redriveAll({ line, target, clock, say }: Run): Promise<number> {
  const { subject, flags } = line;
  if (subject !== undefined && !isKind(subject)) {
    throw new BadInput(`There are no dead letters of "${subject}", only of ${queueKinds.join(', ')}.`);
  }
  const limit = wholeNumber(line, 'limit', 1, MOST_LETTERS) ?? MOST_LETTERS;
  const by = whoAsks(flags['by']);
  const config = target.stores();
  const { stage, queueUrlBase } = config;
  const queue = makeQueueClient(config);
  const table = makeDocumentClient(config);
  const connections = new ConnectionStore({ table, stage });
  try {
    for (const kind of subject === undefined ? queueKinds : [subject]) {
      const { moved, left } = await redrive(
        { queue, stage, queueUrlBase, clock, findConnection: (...ids) => connections.find(...ids) },
        kind,
        { limit, by },
      );
      const stay = left === 0 ? '' : `; ${counted(left, 'letter')} left: the connection is gone, or nobody can read it`;
      say(`${kind}: ${counted(moved, 'letter')} moved${stay}`);
    }
  } finally {
    queue.destroy();
    table.destroy();
  }
  return 0;
}

function isKind(word: string): word is QueueKind {
  return (queueKinds as readonly string[]).includes(word);
}
