/** `npm start`: the whole product on this machine. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { StackOptions } from './stack.ts';

const USAGE = `npm start -- [--port 8080] [--data .holdfast] [--workers 2] [--live]

  --port     port of the API; the simulator's phones are at the next one
  --data     folder in which everything survives a restart
  --workers  how many worker processes; 0 for a restore
  --live     talk to the real WhatsApp instead of the simulator
`;

if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(`Node 24 or newer is needed, this is ${process.version}. Start with npm: npm ci && npm start\n`);
  process.exit(1);
}
// Loaded only now: an older Node could not even read it.
const { startStack } = await import('./stack.ts');

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const options = readOptions();
let finished = false;
let stack: Awaited<ReturnType<typeof startStack>> | undefined;
try {
  say('Holdfast is starting …');
  stack = await startStack({
    ...options,
    say: (line) => say(`  ${line}`),
    onBroken: (reason) => void finish(1, reason),
  });
} catch (error) {
  process.stderr.write(`Holdfast did not start. ${(error as Error).message}\n`);
  process.exit(1);
}
say(firstScreen(stack));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void finish(0));

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
  await stack?.stop();
  say('Stopped.');
  process.exit(code);
}

function readOptions(): Pick<StackOptions, 'port' | 'workers' | 'dataDir' | 'live'> {
  try {
    const { values } = parseArgs({
      options: {
        port: { type: 'string', default: '8080' },
        data: { type: 'string', default: fileURLToPath(new URL('../../.holdfast', import.meta.url)) },
        workers: { type: 'string', default: '2' },
        live: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      say(USAGE);
      return process.exit(0);
    }
    const [port, workers] = [Number(values.port), Number(values.workers)];
    if (!Number.isInteger(port) || port < 0 || port > 65_535)
      throw new Error('--port must be a number from 0 to 65535.');
    if (!Number.isInteger(workers) || workers < 0 || workers > 16) throw new Error('--workers must be from 0 to 16.');
    return { port, workers, dataDir: resolve(values.data), live: values.live };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}`);
    return process.exit(1);
  }
}

function firstScreen({
  apiUrl,
  whatsAppControlUrl,
  dynamoDbEndpoint,
  sqsEndpoint,
  operatorKey,
}: NonNullable<typeof stack>) {
  return `
  API           ${apiUrl}   (routes: ${apiUrl}/v1/openapi.json)
  Operations    ${apiUrl}/ops   (asks for the operator key)
  WhatsApp      ${whatsAppControlUrl === undefined ? 'the real one' : `simulator, phones at ${whatsAppControlUrl}/phones`}
  DynamoDB      ${dynamoDbEndpoint}
  SQS           ${sqsEndpoint}
  data, logs    ${options.dataDir}

  operator key  ${operatorKey}

  Make a tenant:

    curl -s ${apiUrl}/v1/admin/tenants -H 'Authorization: Bearer ${operatorKey}' \\
      -H 'Content-Type: application/json' -d '{"name":"Acme"}'

  Ctrl-C stops.
`;
}
