import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import QRCode from 'qrcode';
import { ConnectionStore } from '../shared/connection/connectionStore.ts';
import { letterKinds, type LetterKind } from '../shared/deadLetters/deadLetter.ts';
import { letterActs, type SettleDependencies } from '../shared/deadLetters/settleDeadLetters.ts';
import { createOperatorKey } from '../shared/identity/apiKey.ts';
import { operatorRoles, type OperatorRole } from '../shared/identity/principal.ts';
import { systemRandom } from '../shared/kernel/random.ts';
import { makeDocumentClient, makeQueueClient } from '../shared/platform/aws.ts';
import { makeLogger } from '../shared/platform/logger.ts';
import type { Surroundings } from '../shared/platform/surroundings.ts';
import { wholeNumber, whoAsks, type AwsCommandName, type CommandLine, type CommandName } from './commandLine.ts';
import { deadLetterLines, settleLines } from './deadLetters.ts';
import { drain } from './drain.ts';
import { exportInFolder, exportOfApi } from './exportSource.ts';
import { healthLines, judgeHealth } from './health.ts';
import { readFleet } from './readFleet.ts';
import { readState } from './readState.ts';
import { readTenantLog } from './readTenantLog.ts';
import { redrive } from './redrive.ts';
import { reportLines } from './report.ts';
import { restoreConversations } from './restoreConversations.ts';
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
/** The number of dead letters of each kind that are shown, and the most that are. */
const SHOWN = 20;
const MOST_SHOWN = 1_000;
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
  'dead-letters': showDeadLetters,
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
  'create-operator-key': async ({ line, target, clock, say }) => {
    const operatorRole = roleOf(line);
    const by = whoAsks(line.flags['by']);
    const config = target.stores();
    const table = makeDocumentClient(config);
    try {
      const identity = { table, stage: config.stage, clock, random: systemRandom };
      const { keyId, secret } = await createOperatorKey(identity, { operatorRole, by });
      say(`${keyId}  ${secret.reveal()}`);
      say(`Its role is ${operatorRole}. Shown this once; only its hash is stored.`);
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
  'restore-conversations': async ({ line, target, clock, say }) => {
    const { export: exportId, 'tenant-key-file': keyFile, file, connection: into } = line.flags;
    if ((exportId === undefined) === (file === undefined)) throw new BadInput('Give --export ID or --file MANIFEST.');
    if (exportId !== undefined && keyFile === undefined) throw new BadInput('--export needs --tenant-key-file.');
    const { url, client } = target.api();
    const source =
      file === undefined ? await exportOfApi(url, readKeyFile(keyFile ?? ''), exportId ?? '') : exportInFolder(file);
    const { malformed } = await restoreConversations({ source, client, into, clock, say });
    return Object.keys(malformed).length === 0 ? 0 : 1;
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

async function redriveAll(run: Run): Promise<number> {
  const { line, say } = run;
  const kind = kindOf(line);
  const limit = wholeNumber(line, 'limit', 1, MOST_LETTERS) ?? MOST_LETTERS;
  const by = whoAsks(line.flags['by']);
  await withQueues(run, async (queues) => {
    for (const one of kind === undefined ? letterKinds : [kind]) {
      const { moved, left } = await redrive(queues, one, { limit, by });
      const stay = left === 0 ? '' : `; ${counted(left, 'letter')} left: the connection is gone, or nobody can read it`;
      say(`${one}: ${counted(moved, 'letter')} moved${stay}`);
    }
  });
  return 0;
}

async function showDeadLetters(run: Run): Promise<number> {
  const { line, say } = run;
  const kind = kindOf(line);
  const { tenant: tenantId, by: author } = line.flags;
  const limit = wholeNumber(line, 'limit', 1, MOST_SHOWN) ?? SHOWN;
  const by = whoAsks(author);
  const acts = letterActs.flatMap((act) => {
    const which = line.flags[act];
    return which === undefined ? [] : [{ act, which, by }];
  });
  if (acts.length > 1) throw new BadInput('Give --redrive or --discard, not both.');
  const choice = { kinds: kind === undefined ? letterKinds : [kind], tenantId };
  await withQueues(run, async (queues) => {
    const [asked] = acts;
    const lines =
      asked === undefined ? await deadLetterLines(queues, choice, limit) : await settleLines(queues, choice, asked);
    for (const text of lines) say(text);
  });
  return 0;
}

/** The role of a new key: the least one unless another is named. Throws BadInput. */
function roleOf({ flags: { role = 'read' } }: CommandLine): OperatorRole {
  const known = operatorRoles.find((one) => one === role);
  if (known !== undefined) return known;
  throw new BadInput(`There is no role "${role}", only ${operatorRoles.join(', ')}.`);
}

function kindOf({ subject }: CommandLine): LetterKind | undefined {
  if (subject === undefined || isKind(subject)) return subject;
  throw new BadInput(`There are no dead letters of "${subject}", only of ${letterKinds.join(', ')}.`);
}

async function withQueues({ target, clock }: Run, act: (queues: SettleDependencies) => Promise<void>): Promise<void> {
  const config = target.stores();
  const { stage, queueUrlBase } = config;
  const queue = makeQueueClient(config);
  const table = makeDocumentClient(config);
  const connections = new ConnectionStore({ table, stage });
  // The person at the terminal reads what was done; the log of the functions is on AWS.
  const logger = makeLogger('ops', 'warn');
  try {
    await act({ queue, stage, queueUrlBase, clock, logger, findConnection: (...ids) => connections.find(...ids) });
  } finally {
    queue.destroy();
    table.destroy();
  }
}

function isKind(word: string): word is LetterKind {
  return (letterKinds as readonly string[]).includes(word);
}
