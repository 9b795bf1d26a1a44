/** The supervisor of the embedded stack: it starts all other processes, watches them and stops them in order. */
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeGreeting, type Greeting } from './greeting.ts';
import { whenNpmIsGone } from './npmGone.ts';
import { startStack } from './stack.ts';
import type { StackOptions } from './stackOptions.ts';

// This comes before anything is written: the contents of the data folder are for this user alone.
process.umask(0o077);

const DEFAULT_DATA = fileURLToPath(new URL('../../.holdfast', import.meta.url));
const isDefault = (folder: string): boolean => folder === DEFAULT_DATA;
const USAGE = `npm start -- [--port 8080] [--data .holdfast] [--workers 2] [--live]

  --port     port of the API; the simulator's phones are at the next one
  --data     folder in which everything survives a restart
  --workers  how many worker processes; 0 for a restore
  --live     talk to the real WhatsApp instead of the simulator
`;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const options = readOptions();
let finished = false;
let stack: Awaited<ReturnType<typeof startStack>> | undefined;
try {
  say('Holdfast is starting …');
  stack = await startStack({
    ...options,
    phonesGiveKeys: true,
    say: (line) => say(`  ${line}`),
    onBroken: (reason) => void finish(1, reason),
  });
} catch (error) {
  process.stderr.write(`Holdfast did not start. ${(error as Error).message}\n`);
  process.exit(1);
}
// A person who starts it for the first time has something to open. Without workers nothing could be linked.
const greeting =
  stack.isNew && options.workers > 0
    ? await makeGreeting(stack.apiUrl, stack.operatorKey).catch(() => undefined)
    : undefined;
say(firstScreen(stack, greeting));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void finish(0));
whenNpmIsGone(() => void finish(0));

async function finish(code: number, reason?: string): Promise<void> {
  if (finished) {
    if (reason === undefined) {
      stack?.kill();
      process.exit(1);
    }
    return;
  }
  finished = true;
  if (reason !== undefined) process.stderr.write(`Holdfast cannot go on. ${reason}\n`);
  say('Stopping: connections are handed over and closed. Ctrl-C again kills.');
  // On a full disk a part may fail to say that it has stopped, although it has.
  await stack?.stop().catch((error: unknown) => say(`  not everything ended in order: ${(error as Error).message}`));
  say('Stopped.');
  process.exit(code);
}

function readOptions(): Pick<StackOptions, 'port' | 'workers' | 'dataDir' | 'live'> {
  try {
    const { values } = parseArgs({
      options: {
        port: { type: 'string', default: '8080' },
        data: { type: 'string', default: DEFAULT_DATA },
        workers: { type: 'string', default: '2' },
        live: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      say(USAGE);
      return process.exit(0);
    }
    const [port, workers] = [toNumber(values.port), toNumber(values.workers)];
    if (values.data.trim() === '') throw new Error('--data must name a folder.');
    if (!Number.isInteger(port) || port < 0 || port > 65_534)
      throw new Error('--port must be a number from 0 to 65534.');
    if (!Number.isInteger(workers) || workers < 0 || workers > 16) throw new Error('--workers must be from 0 to 16.');
    return { port, workers, dataDir: resolve(values.data), live: values.live };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}`);
    return process.exit(1);
  }
}

/** A whole number in digits only: to JavaScript an empty text and `1e3` are numbers, too. */
function toNumber(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : Number.NaN;
}

/** What to open first, and the key with which to go on. */
function welcome({ pairingUrl, tenantKey }: Greeting): string {
  const phone = options.live ? 'link your phone' : 'link a sandbox phone, and write to it';
  return `  tenant key    ${tenantKey}   (of a tenant that is ready, Sandbox)

  Open this page to ${phone}. It can be used for a day:

    ${pairingUrl}

`;
}

function firstScreen(
  {
    apiUrl,
    whatsAppControlUrl,
    dynamoDbEndpoint,
    sqsEndpoint,
    s3Endpoint,
    operatorKey,
    isNew,
  }: NonNullable<typeof stack>,
  greeting: Greeting | undefined,
) {
  const inFolder = (name: string): string => join(options.dataDir, name);
  const next = isNew
    ? `  Make a tenant:

    curl -s ${apiUrl}/v1/admin/tenants -H "Authorization: Bearer $(cat '${inFolder('operator-key')}')" \\
      -H 'Content-Type: application/json' -d '{"name":"Acme"}'`
    : `  Everything of the last run is there: tenants, keys, connections${whatsAppControlUrl === undefined ? '' : ', phones'}. To see it:

    npm run ops -- status${isDefault(options.dataDir) ? '' : ` --data '${options.dataDir}'`}`;
  const listen = `  What happens to a tenant, as it happens (KEY is a key of the tenant):

    curl -N ${apiUrl}/v1/events/stream -H 'Authorization: Bearer KEY'`;
  return `
  API           ${apiUrl}   (routes: ${apiUrl}/v1/openapi.json)
  Operations    ${apiUrl}/ops   (asks for the operator key)
  WhatsApp      ${whatsAppControlUrl === undefined ? 'the real one' : `simulator, phones at ${whatsAppControlUrl}/phones`}
  DynamoDB      ${dynamoDbEndpoint}
  SQS           ${sqsEndpoint}
  S3            ${s3Endpoint}
  data          ${options.dataDir}
  logs          ${inFolder('logs')}   (of the run before: previous-logs)

  operator key  ${operatorKey}
${greeting === undefined ? '\n' : welcome(greeting)}${next}

${listen}

  Ctrl-C stops.
`;
}
