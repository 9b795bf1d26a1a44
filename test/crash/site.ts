import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDynamoDb } from '../emulators/dynamodb.ts';
import { startObjects, type ObjectEmulator } from '../emulators/objects.ts';
import { startQueues } from '../emulators/queues.ts';
import { Life, type LifeKind } from './lives.ts';

/** What all scenes of a process share: the emulators, the file of the root key, and workers that wait for their turn. */
export class Site {
  readonly dynamoDb: Awaited<ReturnType<typeof startDynamoDb>>;
  readonly queues: Awaited<ReturnType<typeof startQueues>>;
  readonly objects: ObjectEmulator;
  readonly keyFile: string;
  readonly #folder: string;
  readonly #kind: LifeKind;
  readonly #waiting: Life[] = [];
  #stages = 0;

  private constructor(kind: LifeKind, dynamoDb: Site['dynamoDb'], queues: Site['queues'], objects: ObjectEmulator) {
    this.#kind = kind;
    this.objects = objects;
    this.dynamoDb = dynamoDb;
    this.queues = queues;
    this.#folder = mkdtempSync(join(tmpdir(), 'crash-'));
    this.keyFile = join(this.#folder, 'key');
    writeFileSync(this.keyFile, randomBytes(32), { mode: 0o600 });
  }

  /** @param spares workers that are started ahead, so that nobody waits while they load */
  static async start(kind: LifeKind, spares: number): Promise<Site> {
    const [dynamoDb, queues, objects] = await Promise.all([startDynamoDb(), startQueues(), startObjects()]);
    const site = new Site(kind, dynamoDb, queues, objects);
    for (let index = 0; index < spares; index += 1) site.#waiting.push(new Life(kind));
    return site;
  }

  /** A worker that may begin. The next one starts to load. */
  async nextLife(): Promise<Life> {
    const life = this.#waiting.shift() ?? new Life(this.#kind);
    this.#waiting.push(new Life(this.#kind));
    await life.ready();
    return life;
  }

  /** A stage of its own for each scene: tables and queues are named by it. */
  nextStage(): string {
    this.#stages += 1;
    return `c${this.#stages}`;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#waiting.map((life) => life.kill()));
    await Promise.all([this.dynamoDb.stop(), this.queues.stop(), this.objects.stop()]);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
