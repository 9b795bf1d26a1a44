import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const DEADLINE_MS = 120_000;

/** What every function needs to be composed; nothing is called at these addresses. */
const SETTINGS = {
  HOLDFAST_STAGE: 'test',
  HOLDFAST_ECS_CLUSTER: 'any',
  HOLDFAST_QUEUE_URL_BASE: 'http://127.0.0.1:1/000000000000/',
  HOLDFAST_KEY_FILE: '/dev/null',
  HOLDFAST_MEDIA_BUCKET: 'test-media',
  HOLDFAST_CONVERTER_FILE: '/var/task/converter.mjs',
  HOLDFAST_API_URL: 'http://127.0.0.1:1',
  HOLDFAST_CANARY_CONNECTION_ID: 'con_1',
  HOLDFAST_CANARY_KEY_PARAMETER: '/canary',
  AWS_SESSION_TOKEN: 'token',
} as const;

const SCRIPT = `
const startedMs = performance.now();
const { handler } = await import(process.argv[1]);
console.log(JSON.stringify({ importMs: performance.now() - startedMs, handler: typeof handler }));`;

export interface BundleImport {
  /** Time of the import alone, in milliseconds: what a cold start adds to the start of Node. */
  readonly importMs: number;
  /** What `typeof handler` gives. */
  readonly handler: string;
}

/** Imports a bundle in a process of its own, as a cold start does. Rejects with what it printed when it breaks. */
export async function importBundle(file: string): Promise<BundleImport> {
  // Environment: this and nothing else, as in a function. Its folder has no packages beside it.
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', SCRIPT, file], {
    env: SETTINGS,
    timeout: DEADLINE_MS,
  });
  return JSON.parse(stdout) as BundleImport;
}
