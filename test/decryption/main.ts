/**
 * `npm run bench:decryption`: how many messages cannot be read at first when a client restarts in the middle of its
 * traffic, for unmodified Baileys and for the product, beside each other. Exits 1 when the product is not at 0.
 *
 *   --scenario <name>   one of them only, or part of its name
 *   --accounts <n>      fewer or more than 20
 *   --runs <n>          repeats each row
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createTables, startDynamoDb } from '../emulators/dynamodb.ts';
import { WhatsAppClient } from '../whatsapp/client.ts';
import type { ClientKind, Received } from './clients.ts';
import { measure, type Outcome } from './measure.ts';
import { RemoteClients } from './remoteClients.ts';
import { fullSize, scenarios, type Scenario, type Size } from './scenarios.ts';

const KINDS = { plain: 'plain rc14', ours: 'holdfast' } as const satisfies Record<ClientKind, string>;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const { values } = parseArgs({
  options: {
    scenario: { type: 'string', default: '' },
    accounts: { type: 'string', default: String(fullSize.accounts) },
    runs: { type: 'string', default: '1' },
  },
});
const size: Size = { ...fullSize, accounts: toCount('--accounts', values.accounts) };
const runs = toCount('--runs', values.runs);
const columns: readonly (readonly [head: string, cell: (outcome: Outcome) => string])[] = [
  ['unread out', ({ unreadOut, sends }) => `${unreadOut}/${sends}`],
  ['own phone', ({ unreadOwn, sends }) => `${unreadOwn}/${sends}`],
  ['unread in', ({ unreadIn, messages }) => `${unreadIn}/${messages}`],
  ['retry requests', ({ retryRequests }) => String(retryRequests)],
  ['key fetches', ({ keyFetches }) => String(keyFetches)],
  ['device queries', ({ deviceQueries }) => String(deviceQueries)],
  ['lost', ({ lost }) => String(lost)],
  ['duplicates', ({ duplicates }) => String(duplicates)],
];
const NAME_WIDTH = 21;
const KIND_WIDTH = 12;

say(
  `${size.accounts} accounts with one contact each, which writes ${size.messages / size.sends} messages for each send. A send every`,
);
say(
  `${size.sendEveryMs / 1_000} s, not every 10 s as in the runs that this repeats: the effect does not need the time. One restart,`,
);
say('in order, of the whole process after a third of the sends; "normal pace" with 300 ms delay each way. Unread:');
say('at first, before any repetition. Key fetches and device queries: after the first contact.\n');
say(
  'scenario'.padEnd(NAME_WIDTH) +
    'client'.padEnd(KIND_WIDTH) +
    columns.map(([head]) => head.padStart(head.length + 2)).join(''),
);
// What runs beside this process must not outlive it, however it ends.
const running = new Set<() => Promise<void>>();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void Promise.allSettled([...running].map((end) => end())).then(() => process.exit(1)));
}
let isClean = true;
for (const scenario of scenarios.filter(({ name }) => name.includes(values.scenario))) {
  for (let run = 0; run < runs; run += 1) {
    for (const kind of Object.keys(KINDS) as ClientKind[]) {
      const outcome = await runOnce(kind, scenario);
      say(
        scenario.name.padEnd(NAME_WIDTH) +
          KINDS[kind].padEnd(KIND_WIDTH) +
          columns.map(([head, cell]) => cell(outcome).padStart(head.length + 2)).join(''),
      );
      for (const error of outcome.internalErrors) say(`  fault of the simulator: ${error}`);
      isClean &&= outcome.internalErrors.length === 0 && (kind === 'plain' || isAtZero(outcome));
    }
  }
}
process.exitCode = isClean ? 0 : 1;

function isAtZero({ unreadOut, unreadOwn, unreadIn, lost, duplicates, ...asked }: Outcome): boolean {
  const { retryRequests, keyFetches, deviceQueries } = asked;
  return unreadOut + unreadOwn + unreadIn + lost + duplicates + retryRequests + keyFetches + deviceQueries === 0;
}

/** Throws a sentence when an option is no count. */
function toCount(option: string, value: string): number {
  if (!/^[1-9]\d{0,3}$/.test(value)) throw new Error(`${option} must be a number from 1 to 9999, not "${value}".`);
  return Number(value);
}

/** One run on a simulator, tables and files of its own. */
async function runOnce(kind: ClientKind, scenario: Scenario): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'decryption-'));
  const [whatsApp, dynamoDb] = await Promise.all([startSimulator(), startDynamoDb()]);
  const received: Received[] = [];
  const options = { kind, whatsApp, folder, dynamoDbEndpoint: dynamoDb.endpoint };
  const clients = new RemoteClients(options, (each) => received.push(each));
  const end = async (): Promise<void> => {
    await clients.end();
    await Promise.all([whatsApp.stop(), dynamoDb.stop()]);
    rmSync(folder, { recursive: true, force: true });
  };
  running.add(end);
  try {
    await createTables(dynamoDb.endpoint, 'test');
    return await measure({ clients, whatsApp: new WhatsAppClient(whatsApp.controlUrl), received, scenario, size });
  } finally {
    running.delete(end);
    await end();
  }
}

/** The simulator in a process of its own, so that its work does not slow the clients down. */
async function startSimulator() {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../whatsapp/main.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const ready = JSON.parse(line) as { webSocketUrl: string; controlUrl: string; rootKey: string };
  return {
    ...ready,
    stop: async (): Promise<void> => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    },
  };
}
