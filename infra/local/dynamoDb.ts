import { spawn, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../shared/kernel/clock.ts';
import { Scope } from '../../shared/kernel/scope.ts';

/** The path of the DynamoDB emulator, a binary that npm brings for this platform. */
export function dynamoDbBinary(platform = process.platform, architecture = process.arch): string {
  const name = platform === 'win32' ? 'dynoxide.exe' : 'dynoxide';
  const file = new URL(`../../node_modules/@dynoxide/${platform}-${architecture}/${name}`, import.meta.url);
  const path = fileURLToPath(file);
  if (!existsSync(path)) {
    throw new Error(
      `The DynamoDB emulator for ${platform}-${architecture} is not installed. Run npm ci on this machine.`,
    );
  }
  return path;
}

/**
 * Amazon's DynamoDB Local, from the folder with its `DynamoDBLocal.jar`, with a Java runtime: in memory, with one database
 * for all callers, whatever their access key. It has no option for the address that it listens on, so others in the same
 * network can reach what little it holds; nothing starts it unless a person names its folder.
 */
function dynamoDbLocal(folder: string, port: number): readonly [program: string, args: readonly string[]] {
  const jar = join(folder, 'DynamoDBLocal.jar');
  if (!existsSync(jar)) throw new Error(`There is no DynamoDBLocal.jar in ${folder}.`);
  const libraries = `-Djava.library.path=${join(folder, 'DynamoDBLocal_lib')}`;
  return ['java', [libraries, '-jar', jar, '-inMemory', '-sharedDb', '-port', String(port)]];
}

function dynoxide(port: number, dataFile: string | undefined): readonly [program: string, args: readonly string[]] {
  const file = dataFile === undefined ? [] : ['--db-path', dataFile];
  return [dynamoDbBinary(), ['serve', '--host', '127.0.0.1', '--port', String(port), ...file]];
}

export interface DynamoDb {
  /** The base URL, for example `http://127.0.0.1:8000`. */
  readonly endpoint: string;
  readonly process: ChildProcess;
  readonly stop: () => Promise<void>;
}

/** A Java runtime takes seconds, and more while other processes start. */
const START_DEADLINE_MS = 30_000;

/**
 * Starts the emulator on loopback and waits until it answers.
 * @param options.port 0 takes any free port
 * @param options.dataFile where the tables survive a restart; without it they are in memory
 * @param options.local a folder with Amazon's DynamoDB Local, which is started instead and keeps nothing
 */
export async function startDynamoDb(options: {
  readonly port: number;
  readonly dataFile?: string | undefined;
  readonly local?: string | undefined;
}): Promise<DynamoDb> {
  const port = options.port === 0 ? await findFreePort() : options.port;
  const [program, args] =
    options.local === undefined ? dynoxide(port, options.dataFile) : dynamoDbLocal(options.local, port);
  const child = spawn(program, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    // DynamoDB Local would tell Amazon of each start.
    env: { ...process.env, DDB_LOCAL_TELEMETRY: '0' },
  });
  let complaint = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-500);
  });
  const exited = new Promise<never>((_resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () =>
      reject(new Error(`The DynamoDB emulator stopped: ${complaint.trim() || 'no reason given'}`)),
    );
  });
  // The promise may reject without a listener: a caller that stops the emulator later does not ask why it exited.
  exited.catch(() => undefined);
  const endpoint = `http://127.0.0.1:${port}`;
  await Promise.race([waitUntilItAnswers(endpoint), exited]);
  return { endpoint, process: child, stop: () => stopChild(child) };
}

async function waitUntilItAnswers(endpoint: string): Promise<void> {
  const giveUpAt = performance.now() + START_DEADLINE_MS;
  while (performance.now() < giveUpAt) {
    try {
      await fetch(endpoint, { signal: AbortSignal.timeout(500) });
      return;
    } catch {
      await systemClock.sleep(20);
    }
  }
  throw new Error(`The DynamoDB emulator did not answer within ${START_DEADLINE_MS} ms`);
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await using scope = new Scope('stopping the emulator');
  scope.timeout(2_000, () => child.kill('SIGKILL'));
  child.kill('SIGTERM');
  await gone;
}

/** A port of loopback that was free a moment ago. */
export async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('No free port was found');
  return address.port;
}
