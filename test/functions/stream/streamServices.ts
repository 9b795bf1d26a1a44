import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { makeStreamImage, STREAM_PROGRAM } from '../../../scripts/streamImage.ts';
import type { StoreConfig } from '../../../shared/platform/storeConfig.ts';

/** A process of the stream service, as its image has it. */
export interface StreamService {
  readonly url: string;
  readonly pid: number;
  /** Has it drained, as ECS does before it stops a task, and waits until it is gone. Returns its exit code. */
  readonly drain: () => Promise<number | null>;
}

/** Starts processes of the stream service from the bundle of its image. */
export class StreamServices {
  readonly #folder: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #alive = new Set<ChildProcess>();

  private constructor(folder: string, env: Readonly<Record<string, string>>) {
    this.#folder = folder;
    this.#env = env;
  }

  static async make(config: StoreConfig): Promise<StreamServices> {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-streams-'));
    await makeStreamImage(folder);
    return new StreamServices(folder, environmentOf(config));
  }

  async start(): Promise<StreamService> {
    const program = join(this.#folder, 'app', STREAM_PROGRAM.replace(/\.ts$/, '.mjs'));
    const child = spawn(process.execPath, [program], { env: this.#env, stdio: ['ignore', 'pipe', 'inherit'] });
    this.#alive.add(child);
    const gone = once(child, 'exit') as Promise<[number | null]>;
    void gone.then(() => this.#alive.delete(child));
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    const { port } = JSON.parse(line) as { readonly port: number };
    child.stdout.resume();
    return {
      url: `http://127.0.0.1:${port}/v1/events/stream`,
      pid: child.pid ?? 0,
      drain: async () => {
        child.kill('SIGTERM');
        return (await gone)[0];
      },
    };
  }

  stop(): void {
    for (const child of this.#alive) child.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The environment by which the service finds the emulators. */
export function environmentOf(config: StoreConfig): Readonly<Record<string, string>> {
  return {
    AWS_REGION: config.region,
    AWS_ACCESS_KEY_ID: 'stream',
    AWS_SECRET_ACCESS_KEY: 'local',
    HOLDFAST_STAGE: config.stage,
    HOLDFAST_LOG_LEVEL: 'error',
    HOLDFAST_QUEUE_URL_BASE: config.queueUrlBase,
    HOLDFAST_DYNAMODB_ENDPOINT: config.dynamoDbEndpoint ?? '',
    HOLDFAST_STREAM_HOST: '127.0.0.1',
    HOLDFAST_STREAM_PORT: '0',
  };
}
